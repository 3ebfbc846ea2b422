import { describe, expect, it } from 'vitest';
import { Builder } from '../graph/builder';
import type { GradientClip } from '../jobs/optimiser-spec';
import { openGraph } from '../onnx/open-graph';
import { clipGradients } from './clip-gradients';
import { segResNet } from './model';
import { openTrainer, type TrainerOptions } from './trainer';

async function clipped(gradients: readonly (readonly number[])[], clip: GradientClip): Promise<number[][]> {
  const b = new Builder();
  const inputs = gradients.map((g, i) => b.input(`g${i}`, [g.length]));
  for (const [i, value] of clipGradients(b, inputs, clip).entries()) b.output(`y${i}`, value);
  const session = await openGraph(b.build(), { threads: 1 });
  const feeds = gradients.map((g, i) => [`g${i}`, { shape: [g.length], data: Float32Array.from(g) }] as const);
  const results = await session.run(new Map(feeds));
  return gradients.map((_, i) => [...results.get(`y${i}`)!]);
}

describe('clipping gradients by value', () => {
  it('gives the limit itself however large the gradient is', async () => {
    const values = [1e9, -1e9, 3e8, 0.5, -0.25, 3e38];
    expect(await clipped([values], { kind: 'value', max: 1 })).toEqual([[1, -1, 1, 0.5, -0.25, 1]]);
  });
});

describe('clipping gradients by norm', () => {
  it.each([
    [3e3, 4e3],
    [3e4, 4e4],
    [3e9, 4e9],
    [3e30, 4e30],
  ])('keeps the direction and the limit of [%d, %d]', async (x, y) => {
    const [[a], [c]] = (await clipped([[x], [y]], { kind: 'norm', max: 1 })) as [[number], [number]];
    expect(a).toBeCloseTo(0.6, 6);
    expect(c).toBeCloseTo(0.8, 6);
  });

  it('leaves small gradients and zeros as they are', async () => {
    expect(await clipped([[0.25, -0.5], [0]], { kind: 'norm', max: 1 })).toEqual([[0.25, -0.5], [0]]);
    expect(await clipped([[0, 0], [0]], { kind: 'norm', max: 1 })).toEqual([[0, 0], [0]]);
  });

  it('does not hide a gradient that is not finite', async () => {
    const [[a]] = (await clipped([[Number.POSITIVE_INFINITY], [1]], { kind: 'norm', max: 1 })) as [[number], [number]];
    expect(a).toBeNaN();
  });
});

it.each([
  { kind: 'norm', max: -1 },
  { kind: 'nrm', max: 1 },
])('refuses the clip %o', async (clip) => {
  const model = segResNet({ spatialDims: 2, initFilters: 8, inChannels: 1, blocksDown: [1], blocksUp: [] });
  const shapes = { inputShape: [1, 1, 4, 4], labelShape: [1, 3, 4, 4] };
  const options = {
    model,
    optimiser: { kind: 'sgd' },
    loss: { kind: 'mse' },
    clip,
    ...shapes,
    proximal: false,
    threads: 1,
  };
  await expect(openTrainer(options as TrainerOptions)).rejects.toThrow(/the gradient clip/);
});
