/**
 * Which metrics may leave a site: `block-metrics` takes the named ones out of an answer, `allow-metrics` all others. Numbers
 * such as a loss on a handful of cases tell of these cases, and no privacy mechanism on the tensors covers them.
 *
 * @module
 */
import type * as z from 'zod';
import { type allowMetricsOptionsSchema, filterTraits, metricListSchemas } from '../jobs/filter-spec';
import { matchesAny } from '../util/glob';
import { parseOptions } from '../util/parse-options';
import type { Filter } from './filter';

/** `metrics`: names; `*` in one stands for any characters. */
export type MetricListOptions = z.input<typeof allowMetricsOptionsSchema>;

/** Takes the named metrics out. @throws ConfigError when an option is wrong. */
export function blockMetrics(options: MetricListOptions): Filter {
  return metricList('block-metrics', options, (named) => !named);
}

/** Takes all metrics out but the named ones. @throws ConfigError when an option is wrong. */
export function allowMetrics(options: MetricListOptions): Filter {
  return metricList('allow-metrics', options, (named) => named);
}

function metricList(
  kind: keyof typeof metricListSchemas,
  options: MetricListOptions,
  leaves: (named: boolean) => boolean,
): Filter {
  const { metrics: names } = parseOptions(`filter '${kind}'`, metricListSchemas[kind], options);
  return {
    name: kind,
    accepts: filterTraits[kind].accepts,
    apply(payload) {
      const kept = Object.entries(payload.metrics).filter(([name]) => leaves(matchesAny(names, name)));
      return { ...payload, metrics: Object.fromEntries(kept) };
    },
  };
}
