import { describe, expect, it } from 'vitest';
import { deviceProviders, requireDevice, runOn } from '../../test/support/device';
import * as golden from '../../test/support/models-golden';
import { largestDifference, relativeL2 } from '../../test/support/segresnet-golden';
import { interpret } from '../graph/interpret';
import { openGraph } from '../onnx/open-graph';
import { createModel, initialise, segResNet } from './model';
import { stepGraph } from './step-graph';
import { newTrainingState, openTrainer } from './trainer';

const model = segResNet({ initFilters: 8 });
const inputShape = [1, 4, 16, 16, 16];
const options = {
  model,
  optimiser: { kind: 'adam', weightDecay: 1e-5 },
  loss: { kind: 'dice', squaredPred: true, sigmoid: true },
  inputShape,
  labelShape: [1, 3, 16, 16, 16],
  proximal: false,
  threads: 1,
} as const;
const image = Float32Array.from({ length: 4 * 16 ** 3 }, (_, i) => Math.sin(i));
const label = Float32Array.from({ length: 3 * 16 ** 3 }, (_, i) => Number(Math.sin(i / 100) > 0.5));

async function threeSteps(provider: string) {
  const session = await openTrainer({ ...options, provider });
  const state = newTrainingState(options, initialise(model, 0));
  const losses: number[] = [];
  for (let i = 0; i < 3; i++) {
    losses.push((await session.step(state, { image, label, learningRate: 1e-3, dropoutSeed: i })).loss);
  }
  return { losses, weight: state.parameters.get('convInit.conv.weight')!.data as Float32Array };
}

describe.each(deviceProviders)('SegResNet on %s', (provider) => {
  it('trains as on the CPU', { timeout: 120_000 }, async (context) => {
    await requireDevice(provider, context);
    const [there, here] = [await threeSteps(provider), await threeSteps('cpu')];
    for (const [i, loss] of here.losses.entries()) expect(Math.abs(there.losses[i]! - loss)).toBeLessThan(1e-4);
    expect(largestDifference(there.weight, here.weight)).toBeLessThan(1e-3);
  });

  it('leaves no operator of a training step to the CPU', { timeout: 120_000 }, async (context) => {
    await requireDevice(provider, context);
    const { graph } = stepGraph(options);
    await expect(openGraph(graph, { threads: 1, provider, whole: true })).resolves.toBeDefined();
  });
});

describe.each(deviceProviders)('a step on %s', (provider) => {
  it('stops where a number is not finite, naming the first tensor, and leaves the state', async (context) => {
    await requireDevice(provider, context);
    const session = await openTrainer({ ...options, provider });
    const state = newTrainingState(options, initialise(model, 0));
    const bright = image.map((x) => 3e38 * x);
    const step = session.step(state, { image: bright, label, learningRate: 1e-3, dropoutSeed: 0 });
    await expect(step).rejects.toMatchObject({
      tag: 'NonFiniteError',
      message: expect.stringMatching(/GroupNorm .* in layer 'down_layers\.0\.1\.norm1'/),
    });
    expect(state.step).toBe(0);
    expect([...state.parameters]).toEqual([...initialise(model, 0)]);
  });
});

describe.each(deviceProviders)('every model on %s', (provider) => {
  it('has the results and the gradients of the interpreter', { timeout: 300_000 }, async (context) => {
    await requireDevice(provider, context);
    for (const example of golden.goldenCases()) {
      const { kind, title, options, sizes } = example;
      const model = createModel({ kind, ...options });
      const [size] = sizes;
      const feeds = golden.feedsOf(model, example, size!);
      const graph = golden.trainingGraph(model, size!.inputShape, size!.outputShape);
      const actual = await runOn(provider, graph, feeds);
      for (const [name, expected] of interpret(graph, feeds)) {
        // What is zero but for rounding (a shift before a normalisation) has no relative error.
        const zero = expected.every((x) => Math.abs(x) < 1e-9);
        const error = (zero ? largestDifference : relativeL2)(actual.get(name)!, expected);
        expect(error, `${kind}, ${title}: ${name}`).toBeLessThan(zero ? 1e-6 : 1e-4);
      }
    }
  });
});
