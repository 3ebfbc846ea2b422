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
import { bytesOf, type NamedTensors, type TensorData } from '../tensor/tensor';
import { updateTensors } from '../tensor/update-memory';
import type { Executor, ExecutorContext } from './executor';
import { checkFinite, checkTrainReply, checkValidateReply, type TrainReply } from './training-reply';

/** Training code of one site. It is made once a run and may keep what it likes; what must survive a restart goes into `state`. */
export interface Trainer {
  /**
   * Trains the received model, whose tensors are the trainer's own: it may change them. The settings of the task hold what the
   * algorithm wants, such as `proximalMu` (FedProx) or `learningRate`; `context.correction` is added to each gradient (SCAFFOLD),
   * and a proximal term is about `context.reference` where that is given (Ditto).
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
      const result = task.kind === 'train' ? await trained(task, scores, context) : { payload: metricsOnly(scores) };
      const ended = performance.now();
      return { ...result, seconds: { validate: (validated - started) / 1000, train: (ended - validated) / 1000 } };
    },
    state: () => trainer.state?.(),
    restore: (state) => trainer.restore?.(state),
    close: async () => trainer.close?.(),
  };

  async function trained(task: Task, scores: Metrics, context: ExecutorContext) {
    const reply = await trainer.train({ ...task, model: ownTensors(task.model) }, context);
    const { weights, metrics, steps } = checkTrainReply(reply, task.model, { finite: transfer === 'weights' });
    const payload: Payload = {
      kind: transfer,
      tensors: formUpdate(transfer, task.model, weights),
      metrics: merge(scores, metrics),
      steps,
    };
    return { payload, trained: weights };
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
 * The trained model, or its difference to the received one, in memory of its own: training code keeps its tensors.
 *
 * @throws NonFiniteError for a difference that is not finite.
 */
export function formUpdate(transfer: Transfer, received: NamedTensors, trained: NamedTensors): NamedTensors {
  const update = updateTensors(trained);
  for (const [name, tensor] of update) {
    const { data } = trained.get(name)!;
    if (transfer === 'weights') bytesOf(tensor).set(bytesOf(trained.get(name)!));
    else if (!subtract(tensor.data, data, received.get(name)!.data)) checkFinite(name, tensor);
  }
  return update;
}

/** `to = values − base`. Returns whether all of it is finite. */
export function subtract(to: TensorData, values: TensorData, base: TensorData): boolean {
  if (to instanceof BigInt64Array && values instanceof BigInt64Array && base instanceof BigInt64Array) {
    for (let i = 0; i < to.length; i++) to[i] = values[i]! - base[i]!;
    return true;
  }
  if (areNumbers(to) && areNumbers(values) && areNumbers(base)) return subtractNumbers(to, values, base);
  throw new InternalError('A model holds float32 or float64 parameters and int64 counters only.');
}

type Numbers = Float32Array | Float64Array;

function areNumbers(data: TensorData): data is Numbers {
  return data instanceof Float32Array || data instanceof Float64Array;
}

/**
 * One pass, four numbers at a time: half the time of one by one. What is not finite times zero is NaN, which no later addition
 * undoes.
 */
function subtractNumbers(to: Numbers, values: Numbers, base: Numbers): boolean {
  const { length } = to;
  const whole = length - (length % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < whole; i += 4) {
    to[i] = values[i]! - base[i]!;
    to[i + 1] = values[i + 1]! - base[i + 1]!;
    to[i + 2] = values[i + 2]! - base[i + 2]!;
    to[i + 3] = values[i + 3]! - base[i + 3]!;
    a += to[i]! * 0;
    b += to[i + 1]! * 0;
    c += to[i + 2]! * 0;
    d += to[i + 3]! * 0;
  }
  for (let i = whole; i < length; i++) {
    to[i] = values[i]! - base[i]!;
    a += to[i]! * 0;
  }
  return a + b + c + d === 0;
}
