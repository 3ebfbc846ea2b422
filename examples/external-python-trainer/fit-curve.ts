/**
 * A hospital keeps its PyTorch code: `client.py` trains, Consilium does the rest. Two sites see one half of a curve each, and
 * learn the whole. Needs `python3` with torch.
 *
 *     npx ts-node examples/external-python-trainer/fit-curve.ts
 */
import { FedAvgRecipe, SimEnv } from '../../src';

async function main(): Promise<void> {
  const recipe = new FedAvgRecipe({
    name: 'fit-curve',
    sites: 2,
    rounds: 5,
    // The state_dict of the network in client.py; { kind: 'checkpoint', file: 'net.pt' } starts from a file.
    model: {
      kind: 'tensors',
      tensors: { '0.weight': [16, 1], '0.bias': [16], '2.weight': [1, 16], '2.bias': [1] },
      start: 'normal',
    },
    trainCommand: ['python3', 'client.py'],
    siteConfig: { 'site-1': [-1, 0], 'site-2': [0, 1] },
    keyMetric: 'val_loss',
    keyMetricMode: 'min',
    folder: __dirname,
  });
  const run = recipe.execute(new SimEnv());
  for await (const event of run.events()) {
    if (event.kind === 'round-finished') console.log(event.round, event.metrics);
  }
  console.log((await run.result()).files.final_pt);
}

void main();
