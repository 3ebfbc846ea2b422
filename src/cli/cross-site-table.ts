import { type CrossSiteMatrix, scoreIn } from '../workflows/cross-site-matrix';
import { aligned } from './aligned';

/** The matrix as lines of a table: models in rows, sites in columns. */
export function crossSiteTable(matrix: CrossSiteMatrix): string[] {
  const { keyMetric, models, sites } = matrix;
  const rows = [
    [keyMetric, ...sites],
    ...models.map((model) => [model, ...sites.map((site) => scoreIn(matrix, model, site)?.toFixed(4) ?? '–')]),
  ];
  return aligned(rows, 1);
}
