/**
 * Trains a segmentation network as the published BraTS18 example does: validate the received global model, then train it
 * for some epochs of single-crop steps, and answer with the difference to what was received.
 *
 * @module
 */
import { DataError, InternalError } from '../errors';
import type { NetworkSpec } from '../jobs/model-spec';
import type { SegmentationTrainerSpec } from '../jobs/trainer-spec';
import type { TrainingState } from '../nn/training-state';
import type { Task } from '../protocol/messages';
import type { Metrics } from '../protocol/payload';
import type { NamedTensors } from '../tensor/tensor';
import type { CaseSource, TrainingSample } from './case-source';
import { scoreCases, summariseScores } from './evaluation';
import type { Executor, ExecutorContext } from './executor';
import { lossMetrics, networkExecutor, type Trained } from './network-executor';
import { networkStep } from './network-step';
import { passesOf } from './own-numbers';
import type { ScoreCache } from './score-cache';
import { sharedPredictor, sharedTrainer, trainingOf } from './shared-sessions';

export interface SegmentationTrainerOptions {
  readonly site: string;
  /** The job's seed. */
  readonly seed: number;
  readonly model: NetworkSpec;
  readonly trainer: SegmentationTrainerSpec;
  readonly engine: { readonly threads: number; readonly provider: string };
  readonly cases: CaseSource;
  /** Names of the output channels, for the metrics. */
  readonly regions: readonly string[];
  /** Shared by the sites of a process: a case that several of them validate on is scored once per model. */
  readonly scores: ScoreCache;
}

export function segmentationTrainer(options: SegmentationTrainerOptions): Executor {
  const { site, trainer, cases } = options;
  return networkExecutor<TrainingSample>({
    trainer,
    training: trainingOf(options),
    samples: (round, epochs) => cases.training(round, epochs),
    validate,
    train,
  });

  async function validate(model: NamedTensors, { signal, progress }: ExecutorContext): Promise<Metrics> {
    const predictor = await sharedPredictor(options, trainer.inferRoi);
    const { validation } = await cases.lists();
    const total = validation.length;
    const dice = knownScores(model, validation);
    const missing = [...validation.keys()].filter((index) => dice[index] === undefined);
    const predict = (window: Float32Array) => predictor.run(model, window);
    const stream = cases.validation(missing);
    let done = total - missing.length;
    progress({ phase: 'validate', done, total });
    try {
      for await (const score of scoreCases(stream, { roi: trainer.inferRoi, predict, signal })) {
        const index = missing[done - (total - missing.length)]!;
        dice[index] = score.dice;
        options.scores.set(validation[index]!, score.dice);
        progress({ phase: 'validate', done: ++done, total });
      }
    } finally {
      stream.close();
    }
    if (done !== total) {
      throw new InternalError(`${site} has ${total} validation cases, but only ${done} came.`);
    }
    return summariseScores(dice as readonly (readonly number[])[], options.regions);
  }

  /** Scores that another site of this process has computed for the same model and the same files. */
  function knownScores(received: NamedTensors, validation: readonly string[]): (readonly number[] | undefined)[] {
    options.scores.use(received);
    return validation.map((identity) => options.scores.get(identity));
  }

  async function train(
    task: Task,
    samples: AsyncIterable<TrainingSample>,
    state: TrainingState,
    context: ExecutorContext,
  ): Promise<Trained> {
    const { signal, progress } = context;
    const passes = passesOf(context.own).length;
    const crop = { count: 1, size: trainer.roi };
    const step = networkStep({ ...options, session: (_, terms) => sharedTrainer(options, crop, terms) }, task, context);
    const { training: count } = await cases.lists();
    if (count === 0) {
      throw new DataError(`The training list of ${site} is empty.`, { hint: 'Give every site a training case.' });
    }
    const total = count * trainer.epochs * passes;
    const sums = new Array<number>(trainer.epochs).fill(0);
    let [steps, rateSum] = [0, 0];
    for await (const sample of samples) {
      signal.throwIfAborted();
      const turn = Math.floor(steps / count);
      const { loss, learningRate } = await step(state, sample, { turn, index: steps % count });
      sums[Math.floor(turn / passes)]! += loss;
      rateSum += learningRate;
      progress({ phase: 'train', done: ++steps, total, loss });
    }
    if (steps !== total) {
      throw new InternalError(`The round of ${site} has ${total} steps, but its samples ended after ${steps}.`);
    }
    return { metrics: lossMetrics(sums.map((sum) => sum / (count * passes))), steps: steps / passes, rateSum };
  }
}
