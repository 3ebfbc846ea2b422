/**
 * Soft Dice loss.
 *
 * @module
 */
import { ShapeError } from '../../errors';
import type { Builder } from '../../graph/builder';
import type { Value } from '../../graph/graph';
import { sameShape } from '../../tensor/tensor';

export interface DiceLossOptions {
  readonly kind: 'dice';
  /** Added to the numerator. Default 1e-5. */
  readonly smoothNr?: number;
  /** Added to the denominator. Default 1e-5. */
  readonly smoothDr?: number;
  /** Squares in the denominator, as Milletari et al. (2016, arXiv:1606.04797). Default false. */
  readonly squaredPred?: boolean;
  /** The predictions are logits. Default false. */
  readonly sigmoid?: boolean;
}

/**
 * 1 − (2Σp·g + smoothNr) / (Σp² + Σg² + smoothDr) for each sample and channel, sums over voxels, then the mean; the
 * squares only with `squaredPred`. Prediction and label are `[N, C, ...spatial]`; the result is a scalar.
 *
 * @throws ShapeError when prediction and label differ in shape
 */
export function diceLoss(b: Builder, prediction: Value, label: Value, options: DiceLossOptions): Value {
  const { smoothNr = 1e-5, smoothDr = 1e-5, squaredPred = false, sigmoid = false } = options;
  if (!sameShape(prediction.shape, label.shape)) {
    throw new ShapeError(`The Dice loss needs a label of shape [${prediction.shape}], but it is [${label.shape}].`);
  }
  const voxels = prediction.shape.flatMap((_, i) => (i < 2 ? [] : [i]));
  const p = sigmoid ? b.sigmoid(prediction) : prediction;
  const total = (x: Value): Value => (squaredPred ? b.sumProduct(x, x, voxels) : b.reduceSum(x, voxels));
  const numerator = b.add(b.scale(b.sumProduct(p, label, voxels), 2), b.scalar(smoothNr));
  const denominator = b.add(b.add(total(p), total(label)), b.scalar(smoothDr));
  const losses = b.sub(b.scalar(1), b.div(numerator, denominator));
  const mean = b.scale(b.reduceSum(losses), 1 / (prediction.shape[0]! * prediction.shape[1]!));
  return b.reshape(mean, []);
}
