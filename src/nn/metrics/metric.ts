/**
 * The metrics that a graph computes, by kind.
 *
 * @module
 */
import type { Builder } from '../../graph/builder';
import type { Value } from '../../graph/graph';
import {
  type MetricKind,
  type MetricOptions,
  type MetricSettings,
  type MetricSettingsOf,
  metricSpec,
} from '../../jobs/metric-spec';
import { parseOptions } from '../../util/parse-options';
import type { Comparison } from './comparison';
import { diceCountsMetric } from './dice-counts';
import { maeMetric } from './mae';
import { maskedMseMetric } from './masked-mse';
import { mseMetric } from './mse';
import { psnrMetric } from './psnr';
import { relativeErrorMetric } from './relative-error';
import { ssimMetric } from './ssim';

export type { MetricOptions } from '../../jobs/metric-spec';

/** Metrics by the names under which their numbers are wanted. */
export type NamedMetrics = Readonly<Record<string, MetricOptions>>;

/** One row of numbers an image: `[N]`, or `[N, …]` as the metric says. */
export type MetricNumbers = ReadonlyMap<string, Float32Array>;

type MetricRule<K extends MetricKind> = (b: Builder, compared: Comparison, settings: MetricSettingsOf<K>) => Value;

const rules: { readonly [K in MetricKind]: MetricRule<K> } = {
  mse: mseMetric,
  mae: maeMetric,
  'masked-mse': maskedMseMetric,
  'relative-error': relativeErrorMetric,
  psnr: psnrMetric,
  ssim: ssimMetric,
  'dice-counts': diceCountsMetric,
};

/** The settings with defaults filled in. @throws ConfigError naming each option that is wrong */
export function metricSettings(options: MetricOptions): MetricSettings {
  return parseOptions('the metric', metricSpec, options);
}

/**
 * Writes a metric: one row of numbers an image, `[N]` or `[N, …]`.
 *
 * @throws ShapeError when target or mask do not fit; ConfigError when an option is wrong
 */
export function writeMetricOf(b: Builder, compared: Comparison, options: MetricOptions): Value {
  const { kind, ...settings } = metricSettings(options);
  return b.inLayer('metric', () => (rules[kind] as MetricRule<MetricKind>)(b, compared, settings as never));
}
