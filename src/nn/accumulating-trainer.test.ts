import { describe, expect, it } from 'vitest';
import { bratsLoss } from '../../test/support/segresnet-golden';
import { openAccumulatingTrainer } from './accumulating-trainer';
import { initialise, segResNet } from './model';
import { newTrainingState, openTrainer, type TrainerOptions } from './trainer';

const model = segResNet({
  initFilters: 8,
  inChannels: 1,
  outChannels: 2,
  blocksDown: [1, 1],
  blocksUp: [1],
  dropoutProb: 0,
});
const SPATIAL = [8, 8, 8];
const options: TrainerOptions = {
  model,
  loss: bratsLoss,
  optimiser: { kind: 'sgd', momentum: 0.9 },
  groups: [
    { match: '^conv_final', learningRateFactor: 0.5 },
    { match: '^convInit', frozen: true },
  ],
  clip: { kind: 'norm', max: 0.5 },
  inputShape: [1, 1, ...SPATIAL],
  labelShape: [1, 2, ...SPATIAL],
  proximal: false,
  threads: 1,
};
const SAMPLES = 3;
const images = Array.from({ length: SAMPLES }, (_, k) =>
  Float32Array.from({ length: 512 }, (_, i) => Math.sin(i * (k + 1))),
);
const labels = images.map((image) => Float32Array.from({ length: 1024 }, (_, i) => Number(image[i % 512]! > i / 1024)));
const parts = images.map((image, k) => ({ image, label: labels[k]!, dropoutSeed: 0 }));
const joined = (arrays: readonly Float32Array[]): Float32Array => Float32Array.from(arrays.flatMap((a) => [...a]));
const weights = initialise(model, 0);

describe('accumulated micro-batches', () => {
  it('make the step of the whole batch, clipping, groups and momentum included', async () => {
    const whole = await openTrainer({
      ...options,
      inputShape: [SAMPLES, 1, ...SPATIAL],
      labelShape: [SAMPLES, 2, ...SPATIAL],
    });
    const inParts = await openAccumulatingTrainer(options);
    const [a, b] = [newTrainingState(options, weights), newTrainingState(options, weights)];
    const batch = { image: joined(images), label: joined(labels), learningRate: 0.1, dropoutSeed: 0 };
    for (let i = 0; i < 3; i++) {
      const { loss } = await whole.step(a, batch);
      expect(Math.abs((await inParts.step(b, parts, 0.1)).loss - loss)).toBeLessThan(1e-6);
    }
    expect(b.step).toBe(3);
    for (const [name, { data }] of a.parameters) {
      const other = b.parameters.get(name)!.data;
      for (let i = 0; i < data.length; i++)
        expect(Math.abs(Number(data[i]) - Number(other[i])), name).toBeLessThan(2e-6);
    }
    expect(b.parameters.get('convInit.conv.weight')!.data).toBe(weights.get('convInit.conv.weight')!.data);
  });

  it('tell metrics of all images', async () => {
    const metrics = { mse: { kind: 'mse' } } as const;
    const whole = await openTrainer({
      ...options,
      metrics,
      inputShape: [SAMPLES, 1, ...SPATIAL],
      labelShape: [SAMPLES, 2, ...SPATIAL],
    });
    const inParts = await openAccumulatingTrainer({ ...options, metrics });
    const batch = { image: joined(images), label: joined(labels), learningRate: 0.1, dropoutSeed: 0 };
    const expected = (await whole.step(newTrainingState(options, weights), batch)).metrics.get('mse')!;
    const found = (await inParts.step(newTrainingState(options, weights), parts, 0.1)).metrics.get('mse')!;
    expect(found).toHaveLength(SAMPLES);
    for (const [i, value] of expected.entries()) expect(found[i]! / value).toBeCloseTo(1, 5);
  });

  it('leave the state as it was when one of them is broken', async () => {
    const session = await openAccumulatingTrainer(options);
    const state = newTrainingState(options, weights);
    const before = { ...state, parameters: new Map(state.parameters) };
    const broken = { ...parts[1]!, label: labels[1]!.with(3, Number.POSITIVE_INFINITY) };
    await expect(session.step(state, [parts[0]!, broken], 0.1)).rejects.toThrow(
      /In step 1, 'loss' is NaN. The first tensor that is not finite: the input 'label' \[1,2,8,8,8\]/,
    );
    expect(state.step).toBe(0);
    expect(state.parameters).toEqual(before.parameters);
    await expect(session.step(state, [], 0.1)).rejects.toThrow(/at least one micro-batch/);
  });
});
