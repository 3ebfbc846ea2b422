import type { Builder } from '../../graph/builder';
import { abs, equal, where } from '../../graph/functions';
import type { Value } from '../../graph/graph';
import { type Comparison, countedVoxels, imageSums, requireSameShape } from './comparison';

/**
 * Σ (|prediction − target| / target)·m / Σ m over each image, `[N]`: the `relative_error` of the MRI translation job, whose
 * mask is target > 0. As there, 0/0 adds nothing. NaN where the mask is empty; a voxel of a given mask where the target is 0
 * and the prediction is not makes it infinite.
 *
 * @throws ShapeError unless prediction, target and mask fit
 */
export function relativeErrorMetric(b: Builder, compared: Comparison): Value {
  requireSameShape('relative-error', compared);
  const { prediction, target } = compared;
  const counted = countedVoxels(b, 'relative-error', compared);
  const zero = b.scalar(0);
  const distance = b.mul(abs(b, b.sub(prediction, target)), counted);
  // 0/1 in place of 0/0, outside the mask and where prediction and target are both 0.
  const divisor = where(b, equal(b, distance, zero), b.scalar(1), target);
  return b.div(imageSums(b, b.div(distance, divisor)), imageSums(b, counted));
}
