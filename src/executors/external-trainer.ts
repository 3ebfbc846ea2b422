/**
 * A trainer whose code runs apart from us, in a thread or a process of its own: started with the first task, kept for the
 * whole run, ended and started anew whenever a task went wrong.
 *
 * @module
 */
import { AbortedError, SiteFailedError } from '../errors';
import type { Task } from '../protocol/messages';
import type { Metrics } from '../protocol/payload';
import type { NamedTensors } from '../tensor/tensor';
import type { Json } from '../util/json';
import type { ExecutorContext } from './executor';
import type { Trainer } from './trainer';
import type { TrainReply } from './training-reply';

export interface ExternalTask {
  readonly kind: 'train' | 'validate';
  readonly round: number;
  readonly model: NamedTensors;
  /** What the workflow says with the task, as plain data; null when it says nothing. */
  readonly settings: Json;
  /** By parameter: what is added to each gradient (SCAFFOLD); absent when nothing is. */
  readonly correction?: NamedTensors;
}

/** An answer, checked against the task. A `validate` task has no weights and 0 steps. */
export type ExternalReply = Required<TrainReply>;

/** Training code that is running somewhere. */
export interface ExternalCode {
  /** Gives it a task; one at a time. Rejects when the code fails: it is not used again then. */
  ask(task: ExternalTask, progress: (done: number, total: number, loss?: number) => void): Promise<ExternalReply>;
  /** The state that it saved last. */
  saved(): NamedTensors | undefined;
  /**
   * Ends it. `end`: the run is over, and it may finish what it does. `abort`: its task is given up. Resolves when nothing of
   * it is left, after a grace period at the latest.
   */
  stop(how: 'end' | 'abort'): Promise<void>;
}

export interface ExternalTrainerOptions {
  /** How messages call the code: `The script 'client.ts'`. */
  readonly what: string;
  /** A task that is not answered by then fails, seconds. */
  readonly replySeconds: number;
  /** Starts the code, with what it saved before. */
  start(state: NamedTensors | undefined): ExternalCode;
}

/** A trainer on code that runs apart from us. */
export function externalTrainer({ what, replySeconds, start }: ExternalTrainerOptions): Trainer {
  let code: ExternalCode | undefined;
  let stopping = Promise.resolve();
  /** After the last finished training. */
  let state: NamedTensors | undefined;
  return {
    async train(task, context) {
      const reply = await ask('train', task, context);
      state = code?.saved() ?? state;
      return reply;
    },
    async validate(task, context): Promise<Metrics> {
      return (await ask('validate', task, context)).metrics;
    },
    state: () => state,
    restore(earlier) {
      // What the code has in its memory belongs to rounds that do not count.
      discard('end');
      state = earlier;
    },
    async close() {
      discard('end');
      await stopping;
    },
  };

  function discard(how: 'end' | 'abort'): void {
    const ended = code;
    code = undefined;
    if (ended) stopping = stopping.then(() => ended.stop(how));
  }

  async function ask(kind: ExternalTask['kind'], task: Task, { signal, progress, correction }: ExecutorContext) {
    await stopping;
    signal.throwIfAborted();
    code ??= start(state);
    const { round, model, settings = null } = task;
    const asked: ExternalTask = { kind, round, model, settings, ...(correction && { correction }) };
    const answer = code.ask(asked, (done, total, loss) =>
      progress({ phase: kind, done, total, ...(loss !== undefined && { loss }) }),
    );
    try {
      return await within(answer, signal, replySeconds, () => late(kind, round));
    } catch (error) {
      discard('abort');
      await stopping;
      throw error;
    }
  }

  function late(kind: ExternalTask['kind'], round: number): SiteFailedError {
    return new SiteFailedError(
      `${what} did not answer the ${kind} task of round ${round} within ${replySeconds} s, and was stopped.`,
      { hint: "Look into the site's log where it stands, or raise trainer.replySeconds." },
    );
  }
}

/** The promise's value, unless the signal or the clock comes first. */
async function within<T>(work: Promise<T>, signal: AbortSignal, seconds: number, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let abort: (() => void) | undefined;
  const interrupted = new Promise<never>((_, reject) => {
    abort = () => reject(new AbortedError('The task was stopped.'));
    timer = setTimeout(() => reject(late()), Math.min(seconds * 1000, 0x7fffffff));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([work, interrupted]);
  } finally {
    clearTimeout(timer);
    if (abort) signal.removeEventListener('abort', abort);
  }
}
