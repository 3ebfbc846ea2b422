/**
 * One row of the benchmark in a process of its own: `ours.js '<row as JSON>'`. It builds what is measured, then repeats it
 * once for every line on its input and answers each with a line of JSON.
 */
import { createInterface } from 'node:readline';
import { concat } from '../../src/graph/functions';
import { openJointTrainer } from '../../src/nn/joint-trainer';
import { l1Loss, lsganLoss } from '../../src/nn/losses/distance';
import { createModel, initialise, segResNet } from '../../src/nn/model';
import { openPredictor } from '../../src/nn/predictor';
import type { StepWriter } from '../../src/nn/step-writer';
import { newTrainingState, openTrainer, type TrainerOptions } from '../../src/nn/trainer';
import type { Row } from './rows';

type Task = () => Promise<unknown>;

/** Milliseconds to write the graph and to open its session. */
let openMs = 0;

async function opened<T>(open: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const session = await open();
  openMs += performance.now() - started;
  return session;
}

/** One repetition of the row's task, ready to be timed. */
const prepare: { readonly [K in Row['network']]: (row: Row) => Promise<Task> } = {
  'segresnet-step': segResNetStep,
  'segresnet-inference': segResNetInference,
  'unet-step': uNetStep,
  'pflsynth-step': pflSynthStep,
};

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);
const waves = (shape: readonly number[]): Float32Array =>
  Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i));

/** Where a row's sessions run. */
const engineOf = ({ threads, provider = 'cpu' }: Row) => ({ threads, provider });

async function segResNetStep(row: Row): Promise<Task> {
  const { input } = row;
  const model = segResNet();
  const labelShape = [1, 3, ...input.slice(2)];
  const label = Float32Array.from({ length: sizeOf(labelShape) }, (_, i) => Number(Math.sin(i / 100) > 0.5));
  const optimiser = { kind: 'adam', weightDecay: 1e-5 } as const;
  const loss = { kind: 'dice', smoothNr: 0, smoothDr: 1e-5, squaredPred: true, sigmoid: true } as const;
  const options = { model, optimiser, loss, inputShape: input, labelShape, proximal: false, ...engineOf(row) };
  return steps(options, waves(input), label);
}

async function segResNetInference(row: Row): Promise<Task> {
  const { input } = row;
  const model = segResNet();
  const [weights, image] = [initialise(model, 0), waves(input)];
  const predictor = await opened(() => openPredictor({ model, inputShape: input, ...engineOf(row) }));
  return () => predictor.run(weights, image);
}

async function uNetStep(row: Row): Promise<Task> {
  const { input } = row;
  const model = createModel({ kind: 'translation-unet' });
  const optimiser = { kind: 'adam' } as const;
  const shapes = { inputShape: input, labelShape: input };
  const options = { model, optimiser, loss: { kind: 'mse' } as const, ...shapes, proximal: false, ...engineOf(row) };
  return steps(options, waves(input), waves(input));
}

async function steps(options: TrainerOptions, image: Float32Array, label: Float32Array): Promise<Task> {
  const session = await opened(() => openTrainer(options));
  const state = newTrainingState(options, initialise(options.model, 0));
  return () => session.step(state, { image, label, learningRate: 1e-4, dropoutSeed: 0 });
}

/** The discriminator's step, then the generator's, as in the published loop. */
async function pflSynthStep(row: Row): Promise<Task> {
  const { input } = row;
  const optimiser = { kind: 'adam', beta1: 0.5, beta2: 0.999 } as const;
  const g = { model: createModel({ kind: 'pflsynth', inChannels: input[1]!, dropout: false }), optimiser };
  const d = { model: createModel({ kind: 'patchgan', inChannels: input[1]! + 1 }), optimiser };
  const codeShape = [1, g.model.conditions![0]!.features];
  const imageShape = [1, 1, ...input.slice(2)];
  const write = (step: StepWriter): void => {
    const { b } = step;
    const [x, y, code] = [step.input('x', input), step.input('y', imageShape), step.input('code', codeShape)];
    const fake = step.apply('g', { image: x, conditions: new Map([['code', code]]) });
    const judge = (image: typeof fake) => step.apply('d', { image: concat(b, [x, image]) });
    const lossD = b.scale(b.add(lsganLoss(b, judge(b.detach(fake)), 0), lsganLoss(b, judge(y), 1)), 0.5);
    step.update('d', lossD);
    const distance = b.scale(l1Loss(b, fake, y, { reduction: 'mean' }), 100);
    step.update('g', b.add(lsganLoss(b, judge(fake), 1), distance));
    step.report('d', lossD);
  };
  const session = await opened(() => openJointTrainer({ networks: { g, d }, write, ...engineOf(row) }));
  const states = {
    g: newTrainingState(g, initialise(g.model, 0)),
    d: newTrainingState(d, initialise(d.model, 0)),
  };
  const inputs = { x: waves(input), y: waves(imageShape), code: new Float32Array(sizeOf(codeShape)).fill(0.5) };
  return () => session.step(states, { inputs, learningRates: { g: 2e-4, d: 2e-4 }, dropoutSeed: 0 });
}

async function main(row: Row): Promise<void> {
  const say = (message: object): void => void process.stdout.write(`${JSON.stringify(message)}\n`);
  const run = await prepare[row.network](row);
  say({ name: 'consilium', version: process.version, openMs });
  for await (const _ of createInterface(process.stdin)) {
    const started = performance.now();
    await run();
    say({ ms: performance.now() - started, rssMb: process.resourceUsage().maxRSS / 1024 });
  }
}

void main(JSON.parse(process.argv[2]!) as Row);
