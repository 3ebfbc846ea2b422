/**
 * An aggregator of your own: the median in place of the mean, so that a site that lies far off does no harm.
 *
 *     npx ts-node examples/custom-aggregator/robust.ts
 */
import { FedAvgRecipe, SimEnv } from '../../src';
import { towardsTarget } from '../hello-fedavg/towards-target';
import { median } from './median';

async function main(): Promise<void> {
  const recipe = new FedAvgRecipe({
    name: 'robust',
    sites: ['north', 'south', 'far-off'],
    rounds: 5,
    model: { kind: 'tensors', tensors: { weight: [4] } },
    trainer: towardsTarget({ rate: 0.5 }),
    aggregator: median(),
    siteConfig: { north: 1, south: 3, 'far-off': 1000 },
    keyMetric: 'error',
    keyMetricMode: 'min',
    folder: __dirname,
  });
  const { history } = await recipe.execute(new SimEnv()).result();
  for (const { round, sites } of history) console.log(round, sites[0]?.metrics);
}

void main();
