/**
 * What losses share: checks of labels, class numbers as channels, reductions.
 *
 * @module
 */
import { ConfigError, ShapeError } from '../../errors';
import type { Builder } from '../../graph/builder';
import { equal, oneHot } from '../../graph/functions';
import type { Value } from '../../graph/graph';
import { sameShape, sizeOf } from '../../tensor/tensor';

export type Reduction = 'mean' | 'sum';

/** @throws ShapeError unless the label has the prediction's shape */
export function requireSameShape(loss: string, prediction: Value, label: Value): void {
  if (sameShape(prediction.shape, label.shape)) return;
  throw new ShapeError(`The ${loss} loss needs a label of shape [${prediction.shape}], but it is [${label.shape}].`);
}

/** Whether labels `[N, 1, ...]` are class numbers for predictions of several channels. */
export function areClassNumbers(prediction: Value, label: Value): boolean {
  const [samples, channels, ...spatial] = prediction.shape;
  return channels! > 1 && sameShape(label.shape, [samples!, 1, ...spatial]);
}

/** Class numbers `[N, 1, ...]` as channels of the prediction. @throws ShapeError when the label is none of its size */
export function classChannels(b: Builder, loss: string, prediction: Value, label: Value): Value {
  const [samples, channels, ...spatial] = prediction.shape;
  if (!areClassNumbers(prediction, label)) {
    throw new ShapeError(
      `The ${loss} loss needs class numbers of shape [${[samples, 1, ...spatial]}] for several classes, but the label is [${label.shape}] and the prediction [${prediction.shape}].`,
    );
  }
  return oneHot(b, b.reshape(label, [samples!, ...spatial]), channels!);
}

/**
 * 0 when every class number, but those that are `ignored`, is one of the prediction's classes; NaN otherwise. To be added to
 * a loss: a graph cannot raise, and a voxel of no class would count as nothing.
 */
export function zeroIfClasses(b: Builder, loss: string, prediction: Value, label: Value, ignored?: number): Value {
  return b.inLayer(`class numbers that are none of 0 to ${prediction.shape[1]! - 1}`, () => {
    const found = b.reduceSum(classChannels(b, loss, prediction, label), [1]);
    const none = b.sub(b.scalar(1), found);
    const counted = ignored === undefined ? none : b.mul(none, b.sub(b.scalar(1), equal(b, label, b.scalar(ignored))));
    return b.sqrt(b.neg(b.reshape(b.reduceSum(counted), [])));
  });
}

/** The mean or the sum of all elements, as a scalar. */
export function reduceAll(b: Builder, values: Value, reduction: Reduction): Value {
  const sum = b.reshape(b.reduceSum(values), []);
  return reduction === 'sum' ? sum : b.scale(sum, 1 / sizeOf(values.shape));
}

/** One factor a channel, to multiply `[N, C, ...spatial]` with. @throws ConfigError when there are not as many as channels */
export function channelFactors(b: Builder, loss: string, factors: number | readonly number[], like: Value): Value {
  const channels = like.shape[1]!;
  const values = typeof factors === 'number' ? new Array<number>(channels).fill(factors) : factors;
  if (values.length !== channels) {
    throw new ConfigError(
      `The ${loss} loss needs ${channels} weights, one for each channel that counts, not ${values.length}.`,
    );
  }
  return b.emit('Constant', [], { shape: [1, channels, ...like.shape.slice(2).map(() => 1)], values });
}
