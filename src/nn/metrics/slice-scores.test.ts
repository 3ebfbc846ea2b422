import { describe, expect, it } from 'vitest';
import { Builder } from '../../graph/builder';
import { interpret } from '../../graph/interpret';
import type { MetricOptions } from '../../jobs/metric-spec';
import { translationTrainerSpec } from '../../jobs/translation-trainer-spec';
import { type LossOptions, writeLossOf } from '../losses/loss';
import { writeMetricOf } from './metric';
import { sliceScores } from './slice-scores';
import { structuralSimilarity, torchmetricsSsim } from './structural-similarity';

const shape = [2, 19, 23] as const;
const wave = (step: number, phase: number) =>
  Float32Array.from({ length: 2 * 19 * 23 }, (_, i) => Math.max(0, Math.sin(step * i + phase)));
const target = wave(0.31, 0);
const prediction = wave(0.3, 0.2);
const lossOf = (options: LossOptions) => translationTrainerSpec.parse({ kind: 'translation', loss: options }).loss;
const seedLoss = translationTrainerSpec.parse({ kind: 'translation' }).loss;

/** What the graph of a metric or a loss says of the slice as a batch of its own, in double precision. */
function inGraph(
  write: (b: Builder, x: ReturnType<Builder['input']>, y: ReturnType<Builder['input']>) => void,
): number {
  const b = new Builder();
  write(b, b.input('x', [1, ...shape]), b.input('y', [1, ...shape]));
  const feeds = new Map([
    ['x', [...prediction]],
    ['y', [...target]],
  ]);
  return interpret(b.build(), feeds).get('result')![0]!;
}
const metricInGraph = (options: MetricOptions) =>
  inGraph((b, x, y) => b.output('result', writeMetricOf(b, { prediction: x, target: y }, options)));
const lossInGraph = (options: LossOptions) => inGraph((b, x, y) => b.output('result', writeLossOf(b, x, y, options)));

describe('the scores of a slice', () => {
  const scores = sliceScores({ prediction, target, shape }, seedLoss);

  it.each<[keyof typeof scores, MetricOptions]>([
    ['mse', { kind: 'mse' }],
    ['masked_mse', { kind: 'masked-mse' }],
    ['relative_error', { kind: 'relative-error' }],
    ['psnr', { kind: 'psnr' }],
    ['ssim', { kind: 'ssim', dataRange: 'image', border: 'reflect', clampVariance: true }],
  ])('are what a graph computes: %s', (name, options) => {
    expect(scores[name]).toBeCloseTo(metricInGraph(options), 12);
  });

  it.each<[LossOptions]>([
    [{ kind: 'mse-dssim', dssim: { dataRange: 'batch', border: 'reflect', clampVariance: true } }],
    [{ kind: 'mse-dssim', lambdaMse: 0.5, lambdaDssim: 2 }],
    [{ kind: 'rmse-dssim', lambdaRmse: 2 }],
    [{ kind: 'mse' }],
    [{ kind: 'l1' }],
    [{ kind: 'ssim', kernel: 'uniform', windowSize: 5 }],
    [{ kind: 'dssim', dataRange: 2 }],
  ])('have the loss that training has of that slice alone: %j', (options) => {
    const { loss } = sliceScores({ prediction, target, shape }, lossOf(options));
    expect(loss).toBeCloseTo(lossInGraph(options), 12);
  });

  it('say how the tumour looks: the bounding box of the mask and 5 pixels around it, within the image', () => {
    const mask = new Float32Array(19 * 23);
    for (let row = 2; row < 6; row++) for (let column = 9; column < 12; column++) mask[row * 23 + column] = 1;
    const crop = (image: Float32Array) =>
      Float32Array.from({ length: 2 * 11 * 13 }, (_, i) => {
        const [channel, row, column] = [Math.floor(i / 143), Math.floor(i / 13) % 11, i % 13];
        return image[channel * 437 + row * 23 + column + 4]!;
      });
    const { zoomed_ssim } = sliceScores({ prediction, target, mask, shape }, seedLoss);
    const settings = { ...torchmetricsSsim, dataRange: 1 };
    expect(zoomed_ssim).toBe(structuralSimilarity(crop(prediction), crop(target), [2, 11, 13], settings));
    expect(zoomed_ssim).not.toBeCloseTo(scores.ssim, 3);
  });

  it('say nothing of a tumour of fewer than 10 pixels, or of none', () => {
    const mask = new Float32Array(19 * 23).fill(1, 100, 109);
    expect(sliceScores({ prediction, target, mask, shape }, seedLoss).zoomed_ssim).toBeNaN();
    expect(scores.zoomed_ssim).toBeNaN();
    mask[109] = 1;
    expect(sliceScores({ prediction, target, mask, shape }, seedLoss).zoomed_ssim).toBeGreaterThan(-1);
  });

  it('are perfect for a perfect prediction', () => {
    const { loss, ssim, mse, psnr } = sliceScores({ prediction: target, target, shape }, seedLoss);
    expect([loss, mse, psnr]).toEqual([0, 0, Number.POSITIVE_INFINITY]);
    expect(ssim).toBeCloseTo(1, 15);
  });

  it('need images that the windows of SSIM fit', () => {
    const small = new Float32Array(25);
    expect(() => structuralSimilarity(small, small, [1, 5, 5])).toThrow(/at least 6 voxels, not 5/);
  });
});
