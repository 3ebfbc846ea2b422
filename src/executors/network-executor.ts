/**
 * What all trainers of networks have in common: scoring the received model, training it from the site's state, the update, and
 * the optimiser that lives for the whole run.
 *
 * @module
 */
import { ConfigError } from '../errors';
import type { NetworkTrainerSpec } from '../jobs/trainer-spec';
import type { ModelTraining } from '../nn/parameter-groups';
import { modelState, type TrainingState } from '../nn/training-state';
import type { Task } from '../protocol/messages';
import type { Metrics } from '../protocol/payload';
import { trainSettings } from '../protocol/train-settings';
import type { NamedTensors } from '../tensor/tensor';
import type { CaseStream } from './case-source';
import type { Executor, ExecutorContext, ExecutorResult } from './executor';
import { passesOf } from './own-numbers';
import { formUpdate, metricsOnly } from './trainer';
import { slotsOf, startRound } from './training-state';

/** What training has come to. */
export interface Trained {
  readonly metrics: Metrics;
  /** Steps on shared numbers. */
  readonly steps: number;
  /** Sum of the learning rates of all steps. */
  readonly rateSum: number;
}

/** A trainer's own way with its data. `S` is what a step trains on. */
export interface NetworkWork<S> {
  readonly trainer: NetworkTrainerSpec;
  readonly training: ModelTraining;
  /** Prepared from this call on, so ahead of need while the received model is scored. */
  samples(round: number, epochs: number): CaseStream<S>;
  validate(model: NamedTensors, context: ExecutorContext): Promise<Metrics>;
  /** Runs the epochs of a round on `state`, in place. */
  train(task: Task, samples: AsyncIterable<S>, state: TrainingState, context: ExecutorContext): Promise<Trained>;
}

export function networkExecutor<S>({ trainer, training, ...work }: NetworkWork<S>): Executor {
  let state: TrainingState | undefined;
  let restored: NamedTensors | undefined;
  return {
    async execute(task, context) {
      refuseOtherTasks(task, trainer);
      const started = performance.now();
      const epochs = trainer.epochs * passesOf(context.own).length;
      const samples = task.kind === 'train' ? work.samples(task.round, epochs) : undefined;
      try {
        const scored = task.kind === 'validate' || trainSettings(task).validate !== false;
        const scores = scored ? await work.validate(task.model, context) : {};
        const validated = performance.now();
        const result = samples ? await trained(task, samples, scores, context) : { payload: metricsOnly(scores) };
        const ended = performance.now();
        const seconds = { validate: (validated - started) / 1000, train: (ended - validated) / 1000 };
        return { ...result, seconds };
      } finally {
        samples?.close();
      }
    },
    state: () => state && slotsOf(state),
    restore(slots) {
      state = undefined;
      restored = slots;
    },
  };

  async function trained(
    task: Task,
    samples: AsyncIterable<S>,
    scores: Metrics,
    context: ExecutorContext,
  ): Promise<Pick<ExecutorResult, 'payload' | 'rateSum' | 'trained'>> {
    state = startRound(training, task.model, state, restored);
    restored = undefined;
    const { metrics, steps, rateSum } = await work.train(task, samples, state, context);
    const model = modelState(training.model, state);
    const tensors = formUpdate(trainer.transfer, task.model, model);
    const payload = { kind: trainer.transfer, tensors, metrics: { ...scores, ...metrics }, steps };
    return { payload, rateSum, trained: model };
  }
}

function refuseOtherTasks({ kind }: Task, trainer: NetworkTrainerSpec): void {
  if (kind === 'train' || kind === 'validate') return;
  throw new ConfigError(`The ${trainer.kind} trainer knows the tasks train and validate, but was given '${kind}'.`);
}

/** The mean of the epochs' mean losses, and each where there are several. */
export function lossMetrics(losses: readonly number[]): Metrics {
  const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  const perEpoch = losses.length > 1 ? losses.map((loss, epoch) => [`train_loss_epoch_${epoch}`, loss]) : [];
  return { train_loss: mean, ...Object.fromEntries(perEpoch) };
}
