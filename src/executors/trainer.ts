/**
 * The simplest contract for training code: weights in, weights out. Differences, state and filters are handled around it.
 *
 * @module
 */
import { ConfigError, InternalError } from '../errors';
import type { Transfer } from '../jobs/trainer-spec';
import type { Task } from '../protocol/messages';
import type { Metrics, Payload } from '../protocol/payload';
import { trainSettings } from '../protocol/train-settings';
import { ownTensors } from '../tensor/shared-tensors';
import type { NamedTensors, Tensor, TensorData } from '../tensor/tensor';
import type { Executor, ExecutorContext } from './executor';
import { checkTrainReply, checkValidateReply, type TrainReply } from './training-reply';

/** Training code of one site. It is made once a run and may keep what it likes; what must survive a restart goes into `state`. */
export interface Trainer {
  /**
   * Trains the received model, whose tensors are the trainer's own: it may change them. The settings of the task hold what the
   * algorithm wants, such as `proximalMu` (FedProx) or `learningRate`; `context.correction` is added to each gradient (SCAFFOLD).
   */
  train(task: Task, context: ExecutorContext): Promise<TrainReply>;
  /** Scores the received model, before each training and at the end. Without it nothing is validated. */
  validate?(task: Task, context: ExecutorContext): Promise<Metrics>;
  /** What a later round depends on, as tensors. */
  state?(): NamedTensors | undefined;
  /** Puts a state back; `undefined` is a fresh start. */
  restore?(state: NamedTensors | undefined): void;
  /** Called when the run ends. */
  close?(): Promise<void>;
}

/** Carries out `train` and `validate` with a trainer, and forms the update. */
export function trainerExecutor(trainer: Trainer, transfer: Transfer): Executor {
  return {
    async execute(task, context) {
      const started = performance.now();
      if (task.kind !== 'train' && task.kind !== 'validate') {
        throw new ConfigError(`This trainer knows the tasks train and validate, but was given '${task.kind}'.`, {
          hint: 'Return an executor from the trainer to carry out tasks of your own workflow.',
        });
      }
      const scored = task.kind === 'validate' || trainSettings(task).validate !== false;
      const given = scored ? await trainer.validate?.(task, context) : undefined;
      const { metrics: scores } = checkValidateReply({ metrics: given ?? {} });
      const validated = performance.now();
      const payload = task.kind === 'train' ? await trained(task, scores, context) : metricsOnly(scores);
      const ended = performance.now();
      return { payload, seconds: { validate: (validated - started) / 1000, train: (ended - validated) / 1000 } };
    },
    state: () => trainer.state?.(),
    restore: (state) => trainer.restore?.(state),
    close: async () => trainer.close?.(),
  };

  async function trained(task: Task, scores: Metrics, context: ExecutorContext): Promise<Payload> {
    const reply = await trainer.train({ ...task, model: ownTensors(task.model) }, context);
    const { weights, metrics, steps } = checkTrainReply(reply, task.model);
    return {
      kind: transfer,
      tensors: formUpdate(transfer, task.model, weights),
      metrics: merge(scores, metrics),
      steps,
    };
  }
}

/** An answer without tensors. */
export function metricsOnly(metrics: Metrics): Payload {
  return { kind: 'metrics', tensors: new Map(), metrics, steps: 0 };
}

/**
 * The scores of the received model decide which global model is best, so what training says may not stand in their place.
 *
 * @throws ConfigError for a name that both have.
 */
function merge(scores: Metrics, ofTraining: Metrics): Metrics {
  const twice = Object.keys(ofTraining).find((name) => Object.hasOwn(scores, name));
  if (twice === undefined) return { ...scores, ...ofTraining };
  throw new ConfigError(
    `The training code gave the metric '${twice}' for the received model and for the trained one.`,
    {
      hint: `Name them apart: 'val_${twice}' and 'train_${twice}', say.`,
    },
  );
}

/**
 * The trained model, or its difference to the received one, in the memory of the trained tensors, which are given away; what
 * training left alone is copied.
 */
export function formUpdate(transfer: Transfer, received: NamedTensors, trained: NamedTensors): NamedTensors {
  const seen = new Set<TensorData>(); // Names may share a tensor: tied weights.
  const own = new Map([...trained].map(([name, value]) => [name, ownTensor(value, received.get(name)!, seen)]));
  if (transfer === 'weight-diff') for (const [name, { data }] of own) subtract(data, received.get(name)!.data);
  return own;
}

/** What training left alone, such as a frozen parameter, still is the received tensor: a copy may be changed. */
function ownTensor(trained: Tensor, received: Tensor, seen: Set<TensorData>): Tensor {
  const shared = trained.data.buffer === received.data.buffer || seen.has(trained.data);
  seen.add(trained.data);
  return shared ? { ...trained, data: trained.data.slice() } : trained;
}

function subtract(values: TensorData, base: TensorData): void {
  if (values instanceof BigInt64Array && base instanceof BigInt64Array) {
    for (let i = 0; i < values.length; i++) values[i] = values[i]! - base[i]!;
  } else if (
    (values instanceof Float32Array && base instanceof Float32Array) ||
    (values instanceof Float64Array && base instanceof Float64Array)
  ) {
    for (let i = 0; i < values.length; i++) values[i] = values[i]! - base[i]!;
  } else {
    throw new InternalError('A model holds float32 or float64 parameters and int64 counters only.');
  }
}
