import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fill as u } from '../../test/golden/fill';
import * as golden from '../../test/support/segresnet-golden';
import { sizeOf } from '../tensor/tensor';
import { createModel, initialise, segResNet } from './model';
import { gradientGraph, inferenceGraph, names } from './step-graph';
import { newTrainingState, openTrainer, type TrainerOptions } from './trainer';

const read = (name: string) => JSON.parse(readFileSync(join(__dirname, '../../test/golden', name), 'utf8'));
const expected = read('segresnet-16.json').f64_16x16x16;
const inputShape = [1, 4, 16, 16, 16];
const labelShape = [1, 3, 16, 16, 16];
const step = { loss: golden.bratsLoss, inputShape, labelShape, proximal: false };

/** The tissue classes of the golden case as the channels TC, WT, ET. */
function bratsLabel(): Float32Array {
  const voxels = sizeOf(inputShape.slice(2));
  const label = new Float32Array(3 * voxels);
  for (let j = 0; j < voxels; j++) {
    const x = u(2000, j);
    const tissue = x < 0.5 ? 0 : x < 0.65 ? 1 : x < 0.85 ? 2 : 4;
    label[j] = Number(tissue === 1 || tissue === 4);
    label[voxels + j] = Number(tissue > 0);
    label[2 * voxels + j] = Number(tissue === 4);
  }
  return label;
}

const image = golden.hashImage(inputShape);
const label = bratsLabel();

describe('SegResNet against MONAI on a 16-cube', () => {
  const model = segResNet({ dropoutProb: 0 });
  const weights = golden.hashWeights(model);
  const feeds = new Map([...golden.dataOf(weights), ['image', image], ['label', label]]);

  it('has the logits, to 1e-10 in double and 2e-5 in single precision', async () => {
    const { f64, f32 } = await golden.both(inferenceGraph(model, inputShape), feeds);
    expect(golden.statsError(f64.get('logits')!, expected.logits)).toBeLessThan(1e-10);
    for (const [j, value] of expected.logits.first8.entries()) expect(f64.get('logits')![j]).toBeCloseTo(value, 10);
    expect(golden.largestDifference(f32.get('logits')!, f64.get('logits')!)).toBeLessThan(2e-5);
  });

  it('has the loss to 1e-6 and every gradient to 1e-4, and both to 1e-10 in double precision', async () => {
    const { f64, f32 } = await golden.both(gradientGraph({ ...step, model }), feeds);
    expect(f64.get('loss')![0]).toBeCloseTo(expected.loss, 10);
    expect(Math.abs(f32.get('loss')![0]! - expected.loss)).toBeLessThan(1e-6);
    expect(model.parameters.map(({ name }) => name)).toEqual(Object.keys(expected.grads));
    for (const { name } of model.parameters) {
      const gradient = f64.get(names.gradient(name))!;
      expect(golden.statsError(gradient, expected.grads[name]), name).toBeLessThan(1e-10);
      expect(golden.relativeL2(f32.get(names.gradient(name))!, gradient), name).toBeLessThan(1e-4);
    }
  });

  it('has the losses and weights of three Adam steps', async () => {
    const optimiser = { kind: 'adam', weightDecay: 1e-5 } as const;
    const session = await openTrainer({ ...step, model, optimiser, threads: 2 });
    const state = newTrainingState({ model, optimiser }, weights);
    for (const loss of expected.adam3.losses) {
      const batch = { image, label, learningRate: 1e-4, dropoutSeed: 0 };
      expect(Math.abs((await session.step(state, batch)).loss - loss)).toBeLessThan(1e-5);
    }
    expect(state.step).toBe(3);
    for (const [name, { first4 }] of Object.entries<{ first4: number[] }>(expected.adam3.params)) {
      const actual = state.parameters.get(name)!.data;
      for (const [j, value] of first4.entries()) expect(Math.abs(Number(actual[j]) - value), name).toBeLessThan(2e-5);
    }
  });

  it('drops channels 3 and 11 of the stem as PyTorch does', async () => {
    const training = segResNet();
    const mask = Float32Array.from({ length: 16 }, (_, c) => (c === 3 || c === 11 ? 0 : 1.25));
    const masked = new Map([...feeds, [names.mask('convInit.dropout'), mask]]);
    const { f64, f32 } = await golden.both(gradientGraph({ ...step, model: training }), masked);
    const { loss, grad_convInit: gradient } = expected.fixed_dropout_3_11;
    expect(f64.get('loss')![0]).toBeCloseTo(loss, 10);
    expect(Math.abs(f32.get('loss')![0]! - loss)).toBeLessThan(1e-6);
    const actual = f64.get(names.gradient('convInit.conv.weight'))!;
    expect(golden.statsError(actual, gradient)).toBeLessThan(1e-10);
    expect(golden.relativeL2(f32.get(names.gradient('convInit.conv.weight'))!, actual)).toBeLessThan(1e-4);
  });
});

describe('SegResNet', () => {
  it('has 83 tensors and 4,702,227 numbers with the defaults of BraTS18', () => {
    const { parameters } = createModel({ kind: 'segresnet' });
    expect(parameters.length).toBe(83);
    expect(parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0)).toBe(4_702_227);
  });

  it('starts with the numbers of PyTorch for seed 0, bit for bit', () => {
    const initial = initialise(segResNet(), 0);
    const drawn = read('init-torch-seed0.json');
    for (const [name, { sum, first3 }] of Object.entries<{ sum: number; first3: number[] }>(drawn)) {
      const data = initial.get(name)!.data as Float32Array;
      expect([...data.slice(0, 3)], name).toEqual(first3);
      expect(
        data.reduce((total, x) => total + x, 0),
        name,
      ).toBeCloseTo(sum, 9);
    }
    expect([...initial.get('conv_final.0.weight')!.data]).toEqual(new Array(16).fill(1));
  });

  it('refuses options that do not fit, naming them', () => {
    expect(() => segResNet({ initFilters: 12 })).toThrow(/initFilters: must be a multiple of numGroups/);
    expect(() => segResNet({ blocksUp: [1] })).toThrow(/blocksUp: must have one level fewer/);
    expect(() => createModel({ kind: 'segresnet', depth: 3 } as never)).toThrow(/depth/);
    expect(() => createModel({ kind: 'unet' })).toThrow(/no model 'unet'; the models are: segresnet/);
  });
});

interface Case {
  readonly title: string;
  readonly options: object & {
    readonly outChannels: number;
    readonly initFilters: number;
    readonly dropoutProb: number;
  };
  readonly seed: number;
  readonly inputShape: number[];
  readonly dropped: readonly (readonly [sample: number, channel: number])[];
  readonly dice: { readonly nr: number; readonly dr: number; readonly squared: boolean };
  readonly mu: number;
  readonly weightDecay: number;
  readonly names: readonly string[];
  readonly initial: readonly golden.Stats[];
  readonly logits: golden.Stats;
  readonly gradients: readonly golden.Stats[];
  readonly losses: readonly number[];
}

describe.each(read('segresnet-cases.json') as Case[])('SegResNet against PyTorch: $title', (example) => {
  const model = createModel({ kind: 'segresnet', ...example.options });
  const { inputShape: shape, mu, dice } = example;
  const labels = [shape[0]!, model.outChannels, ...shape.slice(2)];
  const weights = golden.hashWeights(model);
  const mask = new Float32Array(shape[0]! * example.options.initFilters).fill(
    example.dropped.length > 0 ? Math.fround(1 / (1 - example.options.dropoutProb)) : 1,
  );
  for (const [sample, channel] of example.dropped) mask[sample * example.options.initFilters + channel] = 0;
  const references = [...weights].map(([name, { data }], i) => {
    return [names.reference(name), (data as Float32Array).map((x) => x + 0.05 * (1 + (i % 3)))] as const;
  });
  const feeds = new Map<string, Float32Array>([
    ...golden.dataOf(weights),
    ['image', golden.hashImage(shape)],
    ['label', Float32Array.from({ length: sizeOf(labels) }, (_, j) => Number(u(2000, j) < 0.4))],
    [names.mask('convInit.dropout'), mask],
    [names.mu, Float32Array.of(mu)],
    ...references,
  ]);

  it('has its names, its order and its initial numbers', () => {
    expect(model.parameters.map(({ name }) => name)).toEqual(example.names);
    for (const [i, { data }] of [...initialise(model, example.seed).values()].entries()) {
      expect(golden.statsError(data as Float32Array, example.initial[i]!, i), example.names[i]!).toBeLessThan(1e-13);
    }
  });

  it('has its loss and gradients', async () => {
    const loss = {
      kind: 'dice',
      smoothNr: dice.nr,
      smoothDr: dice.dr,
      squaredPred: dice.squared,
      sigmoid: true,
    } as const;
    const graph = gradientGraph({ model, loss, inputShape: shape, labelShape: labels, proximal: mu > 0 });
    const { f64, f32 } = await golden.both(graph, feeds);
    const reference = example.losses[0]!;
    expect(Math.abs(f64.get('loss')![0]! / reference - 1)).toBeLessThan(1e-10);
    expect(Math.abs(f32.get('loss')![0]! / reference - 1)).toBeLessThan(2e-6);
    for (const [i, name] of example.names.entries()) {
      const gradient = f64.get(names.gradient(name))!;
      expect(golden.statsError(gradient, example.gradients[i]!, i), name).toBeLessThan(1e-10);
      expect(golden.relativeL2(f32.get(names.gradient(name))!, gradient), name).toBeLessThan(1e-4);
    }
  });

  // Channels that PyTorch dropped cannot be asked for by a seed.
  if (example.dropped.length > 0) return;

  it('has the losses of three Adam steps', async () => {
    const plain = createModel({ kind: 'segresnet', ...example.options, dropoutProb: 0 });
    const training: TrainerOptions = {
      model: plain,
      loss: { kind: 'dice', smoothNr: dice.nr, smoothDr: dice.dr, squaredPred: dice.squared, sigmoid: true },
      optimiser: { kind: 'adam', weightDecay: example.weightDecay },
      inputShape: shape,
      labelShape: labels,
      proximal: false,
      threads: 2,
    };
    const session = await openTrainer(training);
    const state = newTrainingState(training, weights);
    for (const expectedLoss of example.losses) {
      const data = { image: feeds.get('image')!, label: feeds.get('label')! };
      const { loss } = await session.step(state, { ...data, learningRate: 1e-4, dropoutSeed: 0 });
      expect(Math.abs(loss - expectedLoss)).toBeLessThan(1e-5);
    }
  });
});
