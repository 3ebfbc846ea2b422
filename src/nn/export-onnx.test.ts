import { describe, expect, it } from 'vitest';
import { hashImage, hashWeights, largestDifference } from '../../test/support/segresnet-golden';
import { openSession } from '../onnx/session';
import { exportInferenceOnnx } from './export-onnx';
import { segResNet } from './model';
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
    const session = await openSession(exportInferenceOnnx(model, weights), { threads: 1 });
    for (const inputShape of shapes) {
      const image = hashImage(inputShape);
      const logits = (await session.run(new Map([['image', { shape: inputShape, data: image }]]))).get('logits')!;
      const predictor = await openPredictor({ model, inputShape, threads: 1 });
      expect(largestDifference(logits, await predictor.run(weights, image))).toBeLessThan(2e-5);
    }
  });

  it('refuses parameters that do not fit', () => {
    expect(() => exportInferenceOnnx(segResNet(), new Map())).toThrow(/'convInit.conv.weight' is missing/);
  });
});
