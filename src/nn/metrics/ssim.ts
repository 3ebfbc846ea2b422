import type { Builder } from '../../graph/builder';
import type { Value } from '../../graph/graph';
import type { MetricSettingsOf } from '../../jobs/metric-spec';
import { ssimMap } from '../losses/ssim';
import { type Comparison, imageMeans, requireSameShape } from './comparison';

/**
 * The mean SSIM over channels and windows of each image, `[N]`: see `losses/ssim` for the formula and the variants of MONAI
 * and torchmetrics. With `dataRange` `image`, an image's number does not depend on the others of its batch.
 *
 * @throws ShapeError when shapes differ or an axis is shorter than the window
 */
export function ssimMetric(b: Builder, compared: Comparison, settings: MetricSettingsOf<'ssim'>): Value {
  requireSameShape('ssim', compared);
  const { prediction, target } = compared;
  const map = ssimMap(b, prediction, target, settings);
  return imageMeans(b, b.reshape(map, [...prediction.shape.slice(0, 2), ...map.shape.slice(2)]));
}
