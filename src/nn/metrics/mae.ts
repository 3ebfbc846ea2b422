import type { Builder } from '../../graph/builder';
import { abs } from '../../graph/functions';
import type { Value } from '../../graph/graph';
import { type Comparison, imageMeans, requireSameShape } from './comparison';

/** The mean of |prediction − target| of each image, `[N]`. @throws ShapeError unless both have one shape */
export function maeMetric(b: Builder, compared: Comparison): Value {
  requireSameShape('mae', compared);
  return imageMeans(b, abs(b, b.sub(compared.prediction, compared.target)));
}
