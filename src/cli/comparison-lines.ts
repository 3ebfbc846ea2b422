import type { Comparison } from '../tracking/comparison';

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
  const table = [['run', ...heads, 'wobble', ...sites, 'seconds'], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '),
  );
}
