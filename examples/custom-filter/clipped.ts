/**
 * A filter of your own, on the answers of one site: its target lies far off, and without the filter it would carry the model
 * away.
 *
 *     npx ts-node examples/custom-filter/clipped.ts
 */
import { FedAvgRecipe, SimEnv } from '../../src';
import { towardsTarget } from '../hello-fedavg/towards-target';
import { normClip } from './norm-clip';

async function main(): Promise<void> {
  const recipe = new FedAvgRecipe({
    name: 'clipped',
    sites: ['north', 'south', 'far-off'],
    rounds: 5,
    model: { kind: 'tensors', tensors: { weight: [4] } },
    trainer: towardsTarget({ rate: 0.5 }),
    siteConfig: { north: 1, south: 3, 'far-off': 1000 },
    keyMetric: 'error',
    keyMetricMode: 'min',
    folder: __dirname,
  });
  recipe.addFilter({ at: 'site-out', tasks: ['train'], sites: ['far-off'] }, normClip({ maxNorm: 1 }));
  const { history } = await recipe.execute(new SimEnv()).result();
  for (const { round, sites } of history) console.log(round, sites[0]?.metrics);
}

void main();
