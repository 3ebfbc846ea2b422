/**
 * A tracker of your own: the metrics of a run go into a CSV file as they come.
 *
 *     npx ts-node examples/custom-tracker/tracked.ts
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FedAvgRecipe, SimEnv } from '../../src';
import { towardsTarget } from '../hello-fedavg/towards-target';
import { csvTracker } from './csv-tracker';

async function main(): Promise<void> {
  const recipe = new FedAvgRecipe({
    name: 'tracked',
    sites: 2,
    rounds: 3,
    model: { kind: 'tensors', tensors: { weight: [4] } },
    trainer: towardsTarget({ rate: 0.5 }),
    siteConfig: { 'site-1': 1, 'site-2': 3 },
    keyMetric: 'error',
    keyMetricMode: 'min',
    folder: __dirname,
  });
  recipe.addTracker(csvTracker());
  const { folder } = await recipe.execute(new SimEnv()).result();
  console.log(readFileSync(join(folder, 'server', 'simulate_job', 'tracked.csv'), 'utf8'));
}

void main();
