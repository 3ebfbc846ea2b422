/**
 * Cross entropy of classes that exclude each other, with the options of PyTorch's.
 *
 * @module
 */
import { ConfigError } from '../../errors';
import type { Builder } from '../../graph/builder';
import { equal, logSoftmax } from '../../graph/functions';
import type { Value } from '../../graph/graph';
import type { LossSettingsOf } from '../../jobs/loss-spec';
import { sizeOf } from '../../tensor/tensor';
import { areClassNumbers, channelFactors, classChannels, requireSameShape, zeroIfClasses } from './labels';

/**
 * −Σ_c w_c·t_c·ln softmax(x)_c at each voxel, t being the label smoothed: (1 − ε)·label + ε/C. The mean over voxels is
 * weighted by the factor of each voxel's class when labels are class numbers, and unweighted when they are probabilities;
 * both are what PyTorch does.
 *
 * The loss is NaN when a class number is neither one of the prediction's classes nor `ignoreIndex`.
 *
 * @param label class numbers `[N, 1, ...spatial]`, or probabilities of the prediction's shape `[N, C, ...spatial]`
 * @throws ShapeError when the label does not fit; ConfigError when weights do not, or `ignoreIndex` comes with
 * probabilities
 */
export function crossEntropyLoss(
  b: Builder,
  prediction: Value,
  label: Value,
  settings: LossSettingsOf<'cross-entropy'>,
): Value {
  const { weight, labelSmoothing, ignoreIndex, reduction } = settings;
  const numbers = areClassNumbers(prediction, label);
  if (!numbers && ignoreIndex !== undefined) throw new ConfigError('ignoreIndex needs labels that are class numbers.');
  if (!numbers) requireSameShape('cross-entropy', prediction, label);
  const classes = prediction.shape[1]!;
  const hard = numbers ? classChannels(b, 'cross-entropy', prediction, label) : label;
  const counted = ignoreIndex === undefined ? undefined : b.sub(b.scalar(1), equal(b, label, b.scalar(ignoreIndex)));
  const known = counted ? b.mul(hard, counted) : hard;
  const weighted = (x: Value): Value => (weight ? b.mul(x, channelFactors(b, 'cross-entropy', weight, x)) : x);
  const uniform = b.scalar(labelSmoothing / classes);
  const spread =
    labelSmoothing === 0
      ? known
      : b.add(b.scale(known, 1 - labelSmoothing), counted ? b.mul(counted, uniform) : uniform);
  const whole = b.reshape(b.neg(b.sumProduct(weighted(spread), logSoftmax(b, prediction))), []);
  const sum = numbers ? b.add(whole, zeroIfClasses(b, 'cross-entropy', prediction, label, ignoreIndex)) : whole;
  if (reduction === 'sum') return sum;
  if (!numbers || (!weight && !counted)) return b.scale(sum, classes / sizeOf(prediction.shape));
  return b.div(sum, b.reshape(b.reduceSum(weighted(known)), []));
}
