import { describe, expect, it } from 'vitest';
import { conditions, hashState, image as imageOf, target as targetOf } from '../../test/support/models-golden';
import { sizeOf } from '../tensor/tensor';
import { openEvaluator } from './evaluator';
import { diceOfCounts, diceScores } from './metrics/dice';
import { createModel, segResNet } from './model';
import { openPredictor } from './predictor';

const model = createModel({ kind: 'translation-unet', baseChannels: 4 });
const inputShape = [2, 1, 16, 32];
const [state, image] = [hashState(model), imageOf(inputShape)];
const target = targetOf(inputShape).map((x) => Math.max(x, 0));
const perImage = sizeOf(inputShape) / 2;

describe('an evaluator', () => {
  it('gives the metrics of what the network predicts, image by image', async () => {
    const prediction = await (await openPredictor({ model, inputShape, threads: 1 })).run(state, image);
    const mask = Float32Array.from(image, (_, i) => Number(i % 3 === 0));
    const evaluator = await openEvaluator({
      model,
      inputShape,
      targetShape: inputShape,
      maskShape: inputShape,
      metrics: { mse: { kind: 'mse' }, inside: { kind: 'masked-mse' }, psnr: { kind: 'psnr' }, ssim: { kind: 'ssim' } },
      threads: 2,
    });
    const found = await evaluator.run(state, { image, target, mask });
    expect([...found].map(([name, { length }]) => [name, length])).toEqual([
      ['mse', 2],
      ['inside', 2],
      ['psnr', 2],
      ['ssim', 2],
    ]);
    for (const i of [0, 1]) {
      let [sum, inside, counted] = [0, 0, 0];
      for (let j = i * perImage; j < (i + 1) * perImage; j++) {
        const squared = (prediction[j]! - target[j]!) ** 2;
        sum += squared;
        inside += squared * mask[j]!;
        counted += mask[j]!;
      }
      expect(found.get('mse')![i]).toBeCloseTo(sum / perImage, 6);
      expect(found.get('inside')![i]).toBeCloseTo(inside / counted, 6);
      expect(found.get('psnr')![i]).toBeCloseTo(-10 * Math.log10(sum / perImage), 5);
      expect(Math.abs(found.get('ssim')![i]!)).toBeLessThan(1);
    }
  });

  it('counts for Dice what the scores of whole predictions count', async () => {
    const network = segResNet({ initFilters: 8 });
    const [shape, targetShape] = [
      [1, 4, 16, 8, 8],
      [1, 3, 16, 8, 8],
    ];
    const weights = hashState(network);
    const truth = targetOf(targetShape).map((x, i) => Number(x > 0.3 && i < 2048));
    const logits = await (await openPredictor({ model: network, inputShape: shape, threads: 1 })).run(
      weights,
      imageOf(shape),
    );
    const evaluator = await openEvaluator({
      model: network,
      inputShape: shape,
      targetShape,
      metrics: { dice: { kind: 'dice-counts' } },
      threads: 1,
    });
    const found = await evaluator.run(weights, { image: imageOf(shape), target: truth });
    const scores = diceOfCounts(found.get('dice')!);
    expect(scores).toEqual(diceScores(logits, truth, 3, { threshold: 0 }));
    expect(scores[2]).toBe(Number.NaN);
    expect(diceOfCounts(found.get('dice')!, { ignoreEmpty: false })[2]).toBe(0);
  });

  it('evaluates networks with further inputs', async () => {
    const network = createModel({ kind: 'pflsynth', baseChannels: 4, latentSize: 4, reduction: 2 });
    const shape = [1, 1, 16, 16];
    const options = {
      model: network,
      inputShape: shape,
      targetShape: shape,
      metrics: { mae: { kind: 'mae' } },
      threads: 1,
    } as const;
    const evaluator = await openEvaluator(options);
    const batch = { image: imageOf(shape), target: targetOf(shape) };
    const code = conditions(network, 1);
    const found = await evaluator.run(hashState(network), { ...batch, conditions: code });
    const [predictor, weights] = [await openPredictor(options), hashState(network)];
    const prediction = await predictor.run(weights, batch.image, code);
    const expected = prediction.reduce((sum, y, i) => sum + Math.abs(y - batch.target[i]!), 0) / prediction.length;
    expect(found.get('mae')![0]).toBeCloseTo(expected, 6);
    await expect(evaluator.run(weights, batch)).rejects.toThrow(/'code' needs/);
  });

  it('refuses masks, targets and metrics that do not fit, saying what was expected', async () => {
    const options = {
      model,
      inputShape,
      targetShape: inputShape,
      metrics: { mse: { kind: 'mse' } },
      threads: 1,
    } as const;
    await expect(openEvaluator({ ...options, metrics: {} })).rejects.toThrow(/at least one metric/);
    await expect(openEvaluator({ ...options, targetShape: [2, 1, 16, 16] })).rejects.toThrow(/needs a target of shape/);
    await expect(openEvaluator({ ...options, inputShape: [2, 2, 16, 16] })).rejects.toThrow(/takes images/);
    const evaluator = await openEvaluator(options);
    await expect(evaluator.run(state, { image, target, mask: target })).rejects.toThrow(/without a mask/);
    await expect(evaluator.run(state, { image, target: new Float32Array(3) })).rejects.toThrow(
      /'target' needs 1024 numbers/,
    );
  });
});
