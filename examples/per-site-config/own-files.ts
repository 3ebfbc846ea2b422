/**
 * Settings by site: every site has its own file, and one learns more slowly. No site sees the settings of another.
 *
 *     npx ts-node examples/per-site-config/own-files.ts
 */
import { FedAvgRecipe, SimEnv } from '../../src';
import { fitCsv } from './fit-csv';

async function main(): Promise<void> {
  const recipe = new FedAvgRecipe({
    name: 'own-files',
    sites: ['north', 'south'],
    rounds: 5,
    model: { kind: 'tensors', tensors: { line: [2] } },
    trainer: fitCsv({ epochs: 20 }),
    siteConfig: {
      north: { file: 'data/north.csv' },
      south: { file: 'data/south.csv', learningRate: 0.05 },
    },
    keyMetric: 'error',
    keyMetricMode: 'min',
    folder: __dirname,
  });
  const run = recipe.execute(new SimEnv());
  for await (const event of run.events()) {
    if (event.kind === 'log' && event.site) console.log(event.site, event.message);
    if (event.kind === 'metrics') console.log(event.round, event.site, event.metrics);
  }
  await run.result();
}

void main();
