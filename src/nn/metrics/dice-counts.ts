/**
 * What Dice is made of, counted in the graph.
 *
 * @module
 */
import { ShapeError } from '../../errors';
import type { Builder } from '../../graph/builder';
import { equal, greaterOrEqual, oneHot, reduceMax } from '../../graph/functions';
import type { Value } from '../../graph/graph';
import type { MetricSettingsOf } from '../../jobs/metric-spec';
import { sameShape } from '../../tensor/tensor';
import type { Comparison } from './comparison';

/**
 * `[N, C, 3]`: for each image and class the voxels that are predicted and true, predicted, true. Counts of parts of an image
 * may be added up; `diceOfCounts` gives the score. They are exact up to 2²⁴ voxels an image.
 *
 * @param compared logits or probabilities; the target has 0/1 channels like them, or class numbers `[N, 1, ...spatial]` of
 * several classes
 * @throws ShapeError when the target is neither
 */
export function diceCountsMetric(
  b: Builder,
  { prediction, target }: Comparison,
  { by, threshold }: MetricSettingsOf<'dice-counts'>,
): Value {
  const [samples, channels, ...spatial] = prediction.shape;
  const truth = truthChannels(b, prediction, target);
  const predicted =
    by === 'argmax' ? largestChannel(b, prediction) : greaterOrEqual(b, prediction, b.scalar(threshold));
  const axes = spatial.map((_, i) => i + 2);
  const counts = [b.sumProduct(predicted, truth, axes), b.reduceSum(predicted, axes), b.reduceSum(truth, axes)];
  return b.emit(
    'Concat',
    counts.map((count) => b.reshape(count, [samples!, channels!, 1])),
    { axis: 2 },
  );
}

function truthChannels(b: Builder, prediction: Value, target: Value): Value {
  if (sameShape(target.shape, prediction.shape)) return target;
  const [samples, channels, ...spatial] = prediction.shape;
  if (sameShape(target.shape, [samples!, 1, ...spatial])) {
    return oneHot(b, b.reshape(target, [samples!, ...spatial]), channels!);
  }
  throw new ShapeError(
    `The metric dice-counts needs a target of shape [${prediction.shape}], or class numbers [${[samples, 1, ...spatial]}], but it is [${target.shape}].`,
  );
}

/** 1 in the channel with the largest value, the first of several such; 0 in all where one is not a number. */
function largestChannel(b: Builder, values: Value): Value {
  const channels = values.shape[1]!;
  const shape = [1, channels, ...values.shape.slice(2).map(() => 1)];
  // Earlier channels rank higher.
  const ranks = b.emit('Constant', [], { shape, values: Array.from({ length: channels }, (_, c) => channels - c) });
  const ranked = b.mul(equal(b, values, reduceMax(b, values, [1])), ranks);
  return equal(b, reduceMax(b, ranked, [1]), ranks);
}
