/**
 * A workflow of your own: federated averaging that ends when the model no longer improves.
 *
 *     npx ts-node examples/custom-workflow/patient.ts
 */
import { SimEnv, WorkflowRecipe } from '../../src';
import { towardsTarget } from '../hello-fedavg/towards-target';
import { earlyStop } from './early-stop';

async function main(): Promise<void> {
  const recipe = new WorkflowRecipe({
    name: 'patient',
    sites: 2,
    workflow: earlyStop({ rounds: 100, minSites: 2, patience: 2, keyMetric: 'error', keyMetricMode: 'min' }),
    model: { kind: 'tensors', tensors: { weight: [4] } },
    trainer: towardsTarget({ rate: 0.75 }),
    siteConfig: { 'site-1': 1, 'site-2': 3 },
    folder: __dirname,
  });
  const { rounds, final } = await recipe.execute(new SimEnv()).result();
  console.log(`stopped after ${rounds} rounds`, final.metrics);
}

void main();
