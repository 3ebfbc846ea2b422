import { describe, expect, it } from 'vitest';
import { conditions, hashState } from '../../test/support/models-golden';
import { hashImage, hashWeights, largestDifference } from '../../test/support/segresnet-golden';
import { EngineError } from '../errors';
import { openSession } from '../onnx/session';
import type { Shape } from '../tensor/tensor';
import { exportInferenceOnnx } from './export-onnx';
import { createModel, segResNet } from './model';
import { openPredictor } from './predictor';

describe('exportInferenceOnnx', () => {
  it.each([
    {
      title: '3-D',
      options: {},
      shapes: [
        [1, 4, 16, 8, 8],
        [2, 4, 8, 8, 16],
      ],
    },
    {
      title: '2-D',
      options: { spatialDims: 2 as const, inChannels: 1 },
      shapes: [
        [1, 1, 16, 24],
        [3, 1, 8, 8],
      ],
    },
  ])('gives one model for every batch and image size with the same logits: $title', async ({ options, shapes }) => {
    const model = segResNet(options);
    const weights = hashWeights(model);
    const session = await openSession(await exportInferenceOnnx(model, weights), { threads: 1 });
    for (const inputShape of shapes) {
      const image = hashImage(inputShape);
      const logits = (await session.run(new Map([['image', { shape: inputShape, data: image }]]))).get('logits')!;
      const predictor = await openPredictor({ model, inputShape, threads: 1 });
      expect(largestDifference(logits, await predictor.run(weights, image))).toBeLessThan(2e-5);
    }
  });

  it('refuses parameters that do not fit', async () => {
    await expect(exportInferenceOnnx(segResNet(), new Map())).rejects.toThrow(/'convInit.conv.weight' is missing/);
  });
});

describe('an exported network', () => {
  const flat = { spatialDims: 2 } as const;
  const kinds = [
    { spec: { kind: 'segresnet', ...flat, initFilters: 8, inChannels: 1 } },
    { spec: { kind: 'segresnet', ...flat, initFilters: 8, inChannels: 1, upsampleMode: 'deconv' } },
    { spec: { kind: 'segresnet', ...flat, initFilters: 8, inChannels: 1, upsampleMode: 'pixelshuffle' } },
    { spec: { kind: 'translation-unet', baseChannels: 2, norm: 'none' } },
    { spec: { kind: 'translation-unet', baseChannels: 2, norm: 'none', bilinear: true } },
    { spec: { kind: 'monai-unet', ...flat, channels: [2, 4, 8], strides: [2, 2] } },
    { spec: { kind: 'monai-unet', ...flat, channels: [2, 4, 8], strides: [2, 2], numResUnits: 2 } },
    { spec: { kind: 'basic-unet', ...flat, features: [2, 2, 4, 4, 8, 2] } },
    { spec: { kind: 'basic-unet', ...flat, features: [2, 2, 4, 4, 8, 2], upsample: 'nontrainable' } },
    { spec: { kind: 'dynunet', ...flat, filters: [2, 2, 4, 4, 8, 8] } },
    { spec: { kind: 'dynunet', ...flat, filters: [2, 2, 4, 4, 8, 8], resBlock: true } },
    { spec: { kind: 'patchgan', inChannels: 1, baseChannels: 2 } },
    { spec: { kind: 'pflsynth', baseChannels: 4, latentSize: 4, reduction: 2 } },
  ] as const;
  const lengths: readonly Shape[] = [
    [32, 64],
    [64, 32],
    [24, 40],
    [18, 16],
    [36, 28],
    [31, 33],
    [16, 47],
    [1, 32],
    [2, 2],
  ];

  it.each(kinds)('is right or fails at every image size: $spec', async ({ spec }) => {
    const model = createModel(spec);
    const weights = hashState(model);
    const file = await openSession(await exportInferenceOnnx(model, weights), { threads: 1 });
    const runs = { right: 0, failed: 0 };
    for (const spatial of lengths) {
      const shape = [2, 1, ...spatial];
      const further = conditions(model, 2);
      const feeds = [['image', hashImage(shape)] as const, ...further].map(([name, data]) => {
        return [name, { shape: name === 'image' ? shape : [2, data.length / 2], data }] as const;
      });
      const running = file.run(new Map(feeds));
      const found = await running.then((outputs) => outputs.get('logits')!).catch((error: EngineError) => error);
      if (found instanceof EngineError) {
        expect(
          spatial.every((n) => n % 32 === 0),
          `${spatial}`,
        ).toBe(false);
        runs.failed++;
      } else {
        const predictor = await openPredictor({ model, inputShape: shape, threads: 1 });
        const expected = await predictor.run(weights, hashImage(shape), further);
        expect(found.length, `${spatial}`).toBe(expected.length);
        expect(largestDifference(found, expected), `${spatial}`).toBeLessThan(1e-4);
        runs.right++;
      }
    }
    expect(runs.right).toBeGreaterThanOrEqual(2);
    expect(runs.failed).toBeGreaterThanOrEqual(1);
  });

  it('says which sizes it takes when it makes an image of another size', async () => {
    const model = createModel({ kind: 'pflsynth', baseChannels: 4, latentSize: 4, reduction: 2 });
    const file = await openSession(await exportInferenceOnnx(model, hashState(model)), { threads: 1 });
    const shape = [1, 1, 18, 16];
    const feeds = new Map([['image', { shape, data: hashImage(shape) }]]);
    const code = conditions(model, 1).get('code')!;
    await expect(file.run(feeds.set('code', { shape: [1, code.length], data: code }))).rejects.toThrow(
      /Name:'image_lengths_must_be_multiples_of_8'.*Input shape:\{1,1,20,16\}, requested shape:\{1,1,18,16\}/s,
    );
  });
});
