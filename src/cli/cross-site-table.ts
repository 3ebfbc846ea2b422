import { type CrossSiteMatrix, scoreIn } from '../workflows/cross-site-matrix';

/** The matrix as lines of a table: models in rows, sites in columns. */
export function crossSiteTable(matrix: CrossSiteMatrix): string[] {
  const { keyMetric, models, sites } = matrix;
  const rows = [
    [keyMetric, ...sites],
    ...models.map((model) => [model, ...sites.map((site) => scoreIn(matrix, model, site)?.toFixed(4) ?? '–')]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '),
  );
}
