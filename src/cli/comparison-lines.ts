import type { Comparison } from '../tracking/comparison';
import { aligned } from './aligned';

/** The comparison as lines of a table: runs in rows, the best first. */
export function comparisonLines({ runs, metrics, sites, keyMetric }: Comparison): string[] {
  const number = (value: number | null | undefined) => (typeof value === 'number' ? value.toPrecision(4) : '–');
  const heads = metrics.map((metric) => metric.replace(/^val_/, ''));
  const rows = runs.map(({ name, metrics: found, wobble, bySite, seconds }) => [
    name,
    ...metrics.map((metric) => number(found[metric])),
    number(wobble),
    ...sites.map((site) => number(bySite.find((one) => one.site === site)?.metrics[keyMetric])),
    seconds.toFixed(0),
  ]);
  return aligned([['run', ...heads, 'wobble', ...sites, 'seconds'], ...rows], 1);
}
