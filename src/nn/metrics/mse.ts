import type { Builder } from '../../graph/builder';
import { square } from '../../graph/functions';
import type { Value } from '../../graph/graph';
import { type Comparison, imageMeans, requireSameShape } from './comparison';

/** The mean of (prediction − target)² of each image, `[N]`. @throws ShapeError unless both have one shape */
export function mseMetric(b: Builder, compared: Comparison): Value {
  requireSameShape('mse', compared);
  return imageMeans(b, square(b, b.sub(compared.prediction, compared.target)));
}
