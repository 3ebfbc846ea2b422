/**
 * One row of the benchmark in a process of its own: `ours.js '<row as JSON>'`. It builds what is measured, then repeats it
 * once for every line on its input and answers each with a line of JSON.
 */
import { createInterface } from 'node:readline';
import { initialise, segResNet } from '../../src/nn/model';
import { openPredictor } from '../../src/nn/predictor';
import { newTrainingState, openTrainer, type TrainerOptions } from '../../src/nn/trainer';
import type { Row } from './rows';

/** One repetition of the row's task, ready to be timed. */
async function prepare({ network, input, threads }: Row): Promise<() => Promise<unknown>> {
  const model = segResNet();
  const spatial = input.slice(2);
  const voxels = spatial.reduce((product, n) => product * n, 1);
  const image = Float32Array.from({ length: 4 * voxels }, (_, i) => Math.sin(i));
  const weights = initialise(model, 0);
  if (network === 'segresnet-inference') {
    const predictor = await openPredictor({ model, inputShape: input, threads });
    return () => predictor.run(weights, image);
  }
  const label = Float32Array.from({ length: 3 * voxels }, (_, i) => Number(Math.sin(i / 100) > 0.5));
  const options: TrainerOptions = {
    model,
    loss: { kind: 'dice', smoothNr: 0, smoothDr: 1e-5, squaredPred: true, sigmoid: true },
    optimiser: { kind: 'adam', weightDecay: 1e-5 },
    inputShape: input,
    labelShape: [1, 3, ...spatial],
    proximal: false,
    threads,
  };
  const session = await openTrainer(options);
  const state = newTrainingState(options, weights);
  return () => session.step(state, { image, label, learningRate: 1e-4, dropoutSeed: 0 });
}

async function main(row: Row): Promise<void> {
  const say = (message: object): void => void process.stdout.write(`${JSON.stringify(message)}\n`);
  const opening = performance.now();
  const run = await prepare(row);
  say({ name: 'consilium', version: process.version, openMs: performance.now() - opening });
  for await (const _ of createInterface(process.stdin)) {
    const started = performance.now();
    await run();
    say({ ms: performance.now() - started, rssMb: process.resourceUsage().maxRSS / 1024 });
  }
}

void main(JSON.parse(process.argv[2]!) as Row);
