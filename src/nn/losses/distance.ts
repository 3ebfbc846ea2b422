/**
 * Distances between prediction and label, and the least-squares adversarial loss made of one.
 *
 * @module
 */
import type { Builder } from '../../graph/builder';
import { abs } from '../../graph/functions';
import type { Value } from '../../graph/graph';
import { type Reduction, reduceAll, requireSameShape } from './labels';

interface DistanceSettings {
  readonly reduction: Reduction;
}

/** The mean or sum of (prediction − label)². @throws ShapeError unless both have one shape */
export function mseLoss(b: Builder, prediction: Value, label: Value, { reduction }: DistanceSettings): Value {
  requireSameShape('mse', prediction, label);
  const difference = b.sub(prediction, label);
  return reduceAll(b, b.mul(difference, difference), reduction);
}

/** The mean or sum of |prediction − label|. @throws ShapeError unless both have one shape */
export function l1Loss(b: Builder, prediction: Value, label: Value, { reduction }: DistanceSettings): Value {
  requireSameShape('l1', prediction, label);
  return reduceAll(b, abs(b, b.sub(prediction, label)), reduction);
}

/**
 * The least-squares adversarial loss (Mao et al. 2017, arXiv:1611.04076): the mean of (scores − target)², the target being 1
 * for what should pass as real and 0 for what should not.
 */
export function lsganLoss(b: Builder, scores: Value, target: 0 | 1): Value {
  const difference = b.sub(scores, b.scalar(target));
  return reduceAll(b, b.mul(difference, difference), 'mean');
}
