import { ConfigError } from '../../errors';
import type { NoiseSource } from '../../privacy/noise-source';
import { RandomWords } from '../../privacy/random-words';
import type { Task } from '../../protocol/messages';
import { sumNumbers, sumSpread } from '../../statistics/accumulate';
import { type Answer, answerNumbers, answerSpread } from '../../statistics/answers';
import type { Cleansers } from '../../statistics/cleansers';
import type { FeatureSource } from '../../statistics/feature-source';
import { parseQuestion, parseSpread } from '../../statistics/questions';
import type { Executor, ExecutorContext } from '../executor';

export interface StatisticsExecutorOptions {
  readonly source: FeatureSource;
  /** Applied before anything becomes a payload. */
  readonly cleansers: Cleansers;
  /** Where the noise on minima and maxima comes from, by round. */
  readonly noise: (round: number) => NoiseSource;
  /** Told what was held back. */
  readonly log: (message: string) => void;
}

/** Answers `statistics` tasks from a site's own values. It keeps nothing from task to task. */
export function statisticsExecutor({ source, cleansers, noise, log }: StatisticsExecutorOptions): Executor {
  return {
    async execute(task, context) {
      const { tensors, withheld } = await answer(task, context);
      for (const message of withheld) log(message);
      return {
        payload: { kind: 'statistics', tensors, metrics: {}, steps: 0 },
        seconds: { validate: 0, train: 0 },
      };
    },
    state: () => undefined,
    restore: () => {},
  };

  async function answer({ kind, round, model, settings }: Task, { signal }: ExecutorContext): Promise<Answer> {
    const question = kind === 'statistics' ? parseQuestion(settings) : undefined;
    if (question?.ask === 'numbers') {
      const { features } = question;
      const wanted = (feature: string) => features?.includes(feature) ?? true;
      const numbers = await sumNumbers(source, wanted, signal);
      const words = new RandomWords(noise(round));
      const answered = answerNumbers(numbers, question, cleansers, words);
      words.dispose();
      return answered;
    }
    if (question?.ask === 'spread') {
      const asked = parseSpread(model);
      if (typeof asked === 'string') throw new ConfigError(`The statistics task cannot be answered: ${asked}.`);
      return answerSpread(await sumSpread(source, asked, signal), cleansers);
    }
    throw new ConfigError(`This site answers statistics tasks, but was given '${kind}' with other settings.`, {
      hint: "The trainer 'statistics' goes with the workflow 'fed-stats'.",
    });
  }
}
