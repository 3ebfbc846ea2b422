/**
 * Your own training code, in a file of its own: `client.ts` is a plain loop over the tasks of a site. Two sites see different
 * lines, and the federation finds the one between them.
 *
 *     npx ts-node examples/train-script/fit-line.ts
 */
import { FedAvgRecipe, SimEnv } from '../../src';

async function main(): Promise<void> {
  const recipe = new FedAvgRecipe({
    name: 'fit-line',
    sites: 2,
    rounds: 5,
    model: { kind: 'tensors', tensors: { line: [2] } },
    trainScript: './client.ts',
    trainArgs: ['20'],
    siteConfig: { 'site-1': { slope: 1, offset: 0 }, 'site-2': { slope: 3, offset: 2 } },
    keyMetric: 'val_loss',
    keyMetricMode: 'min',
    folder: __dirname,
  });
  const run = recipe.execute(new SimEnv());
  for await (const event of run.events()) {
    if (event.kind === 'round-finished') console.log(event.round, event.metrics);
  }
  console.log((await run.result()).files.final_safetensors);
}

void main();
