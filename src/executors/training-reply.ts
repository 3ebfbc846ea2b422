/**
 * What training code of the user's own may answer. It is checked where the answer is given, so that the error stands at the
 * line that gave it.
 *
 * @module
 */
import { ConfigError, NonFiniteError } from '../errors';
import { longestMetricName, type Metrics, mostMetrics } from '../protocol/payload';
import { firstNonFinite } from '../tensor/first-non-finite';
import { isTensor, type NamedTensors, sameShape, type Tensor } from '../tensor/tensor';

/** The answer to a `train` task. */
export interface TrainReply {
  /** The trained weights: every tensor that came, under its name, with its shape and dtype. */
  readonly weights: NamedTensors;
  /** Of the training: the mean loss, say. @default none */
  readonly metrics?: Metrics;
  /** Optimiser steps taken, a whole number of at least 1: the weight of the update in the average. */
  readonly steps: number;
}

/** The answer to a `validate` task. */
export interface ValidateReply {
  /** Scores of the received model; empty when there are none. `null` where a score is not defined. */
  readonly metrics: Metrics;
}

/** What the tensors of an answer have to look like. */
export type TensorForms = ReadonlyMap<string, Pick<Tensor, 'dtype' | 'shape'>>;

/** Most metrics of one answer: a payload has those of the validation and those of the training. */
const mostOfOne = mostMetrics / 2;

export interface ReplyChecks {
  /** Look at every number of the weights; a caller who forms differences sees there what is not finite. @default true */
  readonly finite?: boolean;
}

/**
 * @param reply what the training code gave, of any type.
 * @throws ConfigError or NonFiniteError naming what is wrong.
 */
export function checkTrainReply(
  reply: unknown,
  received: TensorForms,
  { finite = true }: ReplyChecks = {},
): Required<TrainReply> {
  const { weights, metrics, steps } = checkKeys(reply, 'train', ['weights', 'metrics', 'steps'], '{ weights, steps }');
  checkTensors(weights, 'The weights of a train task');
  if (typeof steps !== 'number' || !Number.isSafeInteger(steps) || steps < 1) {
    throw new ConfigError(`The steps of a train task are a whole number of at least 1, but ${shown(steps)} came.`, {
      hint: 'Answer with the number of optimiser steps taken: it weighs the update in the average.',
    });
  }
  checkWeights(weights, received);
  if (finite) for (const [name, tensor] of weights) checkFinite(name, tensor);
  return { weights, metrics: checkMetrics(metrics ?? {}), steps };
}

/** @throws ConfigError naming what is wrong. */
export function checkValidateReply(reply: unknown): ValidateReply {
  const { metrics } = checkKeys(reply, 'validate', ['metrics'], '{ metrics: {} }');
  return { metrics: checkMetrics(metrics) };
}

/** @throws ConfigError when training code answers with other tensors than it was given. */
export function checkWeights(weights: NamedTensors, received: TensorForms): void {
  const missing = [...received.keys()].find((name) => !weights.has(name));
  const extra = [...weights.keys()].find((name) => !received.has(name));
  if (missing !== undefined || extra !== undefined) {
    const what = missing === undefined ? `'${extra}' was not in the received model` : `'${missing}' is missing`;
    throw new ConfigError(`The training code answered with other tensors than it was given: ${what}.`, {
      hint: 'Answer with every tensor that came, under its name.',
    });
  }
  for (const [name, tensor] of weights) {
    const { dtype, shape } = tensor;
    const expected = received.get(name)!;
    if (dtype !== expected.dtype || !sameShape(shape, expected.shape)) {
      throw new ConfigError(
        `The training code answered with '${name}' as ${dtype} [${shape}], but ${expected.dtype} [${expected.shape}] was sent.`,
        { hint: 'Keep the shape and the dtype of every tensor.' },
      );
    }
  }
}

/** @throws NonFiniteError naming the tensor and the place. */
export function checkFinite(name: string, tensor: Tensor): void {
  const at = firstNonFinite(tensor);
  if (at < 0) return;
  throw new NonFiniteError(`The training code answered with ${tensor.data[at]} in '${name}' (element ${at}).`, {
    hint: 'The training diverged: lower the learning rate, clip gradients, or look for a division by zero.',
  });
}

/** Tensors that a script made are objects of any form. @throws ConfigError. */
export function checkTensors(tensors: unknown, what: string): asserts tensors is NamedTensors {
  if (!(tensors instanceof Map)) {
    throw new ConfigError(`${what} are a Map from names to tensors, but ${kindOf(tensors)} came.`, {
      hint: 'Make it like task.model: new Map([...task.model].map(([name, tensor]) => [name, …])).',
    });
  }
  for (const [name, tensor] of tensors) {
    if (typeof name === 'string' && isTensor(tensor)) continue;
    throw new ConfigError(
      `'${String(name)}' is no tensor: it needs a dtype, a shape, and data of that type and size.`,
      {
        hint: 'Make it with float32(shape, data), or from the received one: { ...tensor, data: tensor.data.slice() }.',
      },
    );
  }
}

/** @throws ConfigError unless it is a plain object of finite numbers and nulls. */
function checkMetrics(metrics: unknown): Metrics {
  const isPlain = typeof metrics === 'object' && metrics !== null && !Array.isArray(metrics);
  if (!isPlain || metrics instanceof Map) {
    throw new ConfigError(`Metrics are an object of numbers by name, but ${kindOf(metrics)} came.`, {
      hint: 'Answer with { metrics: { val_loss: 0.5 } }, or { metrics: {} } when there are none.',
    });
  }
  const entries = Object.entries(metrics);
  if (entries.length > mostOfOne) {
    throw new ConfigError(`An answer holds at most ${mostOfOne} metrics, but ${entries.length} came.`);
  }
  for (const [name, value] of entries) {
    if (name === '' || name.length > longestMetricName) {
      throw new ConfigError(`The name of a metric has 1 to ${longestMetricName} characters.`);
    }
    if (value !== null && !Number.isFinite(value)) {
      throw new ConfigError(`Metric '${name}' is ${shown(value)}, but has to be a finite number or null.`, {
        hint: 'Answer with null where a metric is not defined.',
      });
    }
  }
  return Object.fromEntries(entries) as Metrics;
}

/** The fields of an answer. @throws ConfigError for what is no object, and for a field that there is not. */
function checkKeys<K extends string>(
  reply: unknown,
  task: 'train' | 'validate',
  known: readonly K[],
  example: string,
): Readonly<Partial<Record<K, unknown>>> {
  if (typeof reply !== 'object' || reply === null) {
    throw new ConfigError(`A ${task} task is answered with an object, but ${kindOf(reply)} came.`, {
      hint: `For example: await task.reply(${example}).`,
    });
  }
  const unknown = Object.keys(reply).find((key) => !known.includes(key as K));
  if (unknown === undefined) return reply as Partial<Record<K, unknown>>;
  throw new ConfigError(`The answer to a ${task} task has no field '${unknown}'; it has ${known.join(', ')}.`, {
    hint: `Leave it out; numbers of your own go into metrics.`,
  });
}

function kindOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return shown(value);
  if (Array.isArray(value)) return 'an array';
  const { name } = value.constructor ?? Object;
  return name === 'Object' ? 'a plain object' : `a ${name}`;
}

function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : String(value);
}
