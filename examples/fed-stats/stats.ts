/**
 * Statistics of three hospitals' tables: no row leaves a hospital, and hospitals with few cases give nothing.
 *
 *     npx ts-node examples/fed-stats/stats.ts
 */
import { FedStatsRecipe, SimEnv, statisticsOf } from '../../src';

async function main(): Promise<void> {
  const recipe = new FedStatsRecipe({
    name: 'fed-stats',
    sites: ['st-marys', 'riverside', 'hilltop'],
    data: { kind: 'csv', path: './data/{site}.csv', columns: ['age', 'crp', 'tumour_ml'] },
    ranges: { age: [0, 100] },
    folder: __dirname,
  });
  const { results, files } = await recipe.execute(new SimEnv()).result();
  for (const [feature, { global }] of Object.entries(statisticsOf(results)?.features ?? {})) {
    console.log(feature, global?.count, global?.mean, global?.stddev, global?.quantiles?.values);
  }
  console.log(files.statistics, files.report);
}

void main();
