/**
 * Federated averaging of ten numbers: one site pulls them to 1, the other to 3, and the federation finds the middle.
 *
 *     npx ts-node examples/hello-fedavg/hello.ts
 */
import { FedAvgRecipe, SimEnv } from '../../src';
import { towardsTarget } from './towards-target';

async function main(): Promise<void> {
  const recipe = new FedAvgRecipe({
    name: 'hello-fedavg',
    sites: 2,
    rounds: 3,
    model: { kind: 'tensors', tensors: { weight: [2, 4], bias: [2] } },
    trainer: towardsTarget({ rate: 0.5 }),
    siteConfig: { 'site-1': 1, 'site-2': 3 },
    keyMetric: 'error',
    keyMetricMode: 'min',
    folder: __dirname,
  });
  const run = recipe.execute(new SimEnv());
  for await (const event of run.events()) {
    if (event.kind === 'round-finished') console.log(event.round, event.metrics);
  }
  const { final, files } = await run.result();
  console.log('final', final.metrics, files.report);
}

void main();
