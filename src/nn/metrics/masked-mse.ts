import type { Builder } from '../../graph/builder';
import { square } from '../../graph/functions';
import type { Value } from '../../graph/graph';
import { type Comparison, countedVoxels, imageSums, requireSameShape } from './comparison';

/**
 * Σ (prediction − target)²·m / Σ m over each image, `[N]`: the `masked_mse` of the MRI translation job, whose mask is
 * target > 0. NaN where the mask is empty.
 *
 * @throws ShapeError unless prediction, target and mask fit
 */
export function maskedMseMetric(b: Builder, compared: Comparison): Value {
  requireSameShape('masked-mse', compared);
  const counted = countedVoxels(b, 'masked-mse', compared);
  const squares = square(b, b.sub(compared.prediction, compared.target));
  return b.div(imageSums(b, b.mul(squares, counted)), imageSums(b, counted));
}
