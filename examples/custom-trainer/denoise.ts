/**
 * A trainer of your own around a network of ours: your data and your loop, our engine.
 *
 *     npx ts-node examples/custom-trainer/denoise.ts
 */
import { FedAvgRecipe, SimEnv } from '../../src';
import { denoiser } from './denoiser';

async function main(): Promise<void> {
  const recipe = new FedAvgRecipe({
    name: 'denoise',
    sites: 2,
    rounds: 3,
    model: {
      kind: 'segresnet',
      spatialDims: 2,
      inChannels: 1,
      outChannels: 1,
      initFilters: 8,
      blocksDown: [1, 1],
      blocksUp: [1],
      dropoutProb: 0,
    },
    trainer: denoiser({ steps: 20, learningRate: 0.01 }),
    siteConfig: { 'site-1': { noise: 0.5 }, 'site-2': { noise: 1 } },
    keyMetric: 'error',
    keyMetricMode: 'min',
    folder: __dirname,
  });
  const run = recipe.execute(new SimEnv());
  for await (const event of run.events()) {
    if (event.kind === 'round-finished') console.log(event.round, event.metrics);
  }
  console.log((await run.result()).files.best_onnx);
}

void main();
