import type { Builder } from '../../graph/builder';
import { log } from '../../graph/functions';
import type { Value } from '../../graph/graph';
import type { MetricSettingsOf } from '../../jobs/metric-spec';
import type { Comparison } from './comparison';
import { mseMetric } from './mse';

/**
 * 10·log₁₀(range²/MSE) of each image in dB, `[N]`; infinite where prediction and target are the same.
 *
 * @throws ShapeError unless both have one shape
 */
export function psnrMetric(b: Builder, compared: Comparison, { dataRange }: MetricSettingsOf<'psnr'>): Value {
  const relative = b.scale(mseMetric(b, compared), 1 / dataRange ** 2);
  return b.scale(log(b, relative), -10 / Math.LN10);
}
