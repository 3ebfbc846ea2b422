/**
 * Metrics in the graph against copying the predictions out and computing them in JavaScript: the two and the prediction alone
 * in turn, in one process. The networks are small, so that the metrics show. `ratio` is in-graph by copied, network included; `addedRatio` that of what is added to it.
 */

import { openEvaluator } from '../src/nn/evaluator';
import { diceOfCounts, diceScores } from '../src/nn/metrics/dice';
import type { NamedMetrics } from '../src/nn/metrics/metric';
import { createModel, initialise, type Model } from '../src/nn/model';
import { openPredictor } from '../src/nn/predictor';
import { type Shape, sizeOf } from '../src/tensor/tensor';
import { median } from './measure';

const THREADS = 2;
const REPEATS = 9;

interface Row {
  readonly title: string;
  readonly model: Model;
  readonly input: Shape;
  readonly metrics: NamedMetrics;
  readonly target: Float32Array;
  /** The metrics of whole predictions in JavaScript: the first number, to compare. */
  readonly inJavaScript: (prediction: Float32Array, target: Float32Array) => number;
  readonly first: (numbers: ReadonlyMap<string, Float32Array>) => number;
}

interface Result {
  readonly row: string;
  readonly predictMs: number;
  readonly inGraphMs: number;
  readonly copiedMs: number;
  readonly ratio: number;
  readonly addedRatio: number;
}

export async function metrics(): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const row of [translation([4, 1, 240, 240]), segmentation([1, 4, 96, 96, 96])]) results.push(await measure(row));
  return results;
}

function smallNetwork(spatialDims: number, inChannels: number, outChannels: number): Model {
  return createModel({ kind: 'monai-unet', spatialDims, inChannels, outChannels, channels: [2, 4], strides: [2] });
}

function translation(input: Shape): Row {
  const target = Float32Array.from({ length: sizeOf(input) }, (_, i) => Math.max(0, Math.sin(i / 50)));
  return {
    title: `${input.join('×')}, five image metrics`,
    model: smallNetwork(2, 1, 1),
    input,
    target,
    metrics: {
      mse: { kind: 'mse' },
      maskedMse: { kind: 'masked-mse' },
      relativeError: { kind: 'relative-error' },
      psnr: { kind: 'psnr' },
      ssim: { kind: 'ssim' },
    },
    inJavaScript: (prediction, target) => imageMetrics(prediction, target, input)[0]!,
    first: (numbers) => numbers.get('ssim')![0]!,
  };
}

function segmentation(input: Shape): Row {
  const target = Float32Array.from({ length: 3 * sizeOf(input.slice(2)) }, (_, i) => Number(Math.sin(i / 100) > 0.5));
  return {
    title: `${input.join('×')}, Dice of three regions`,
    model: smallNetwork(3, 4, 3),
    input,
    target,
    metrics: { dice: { kind: 'dice-counts' } },
    inJavaScript: (prediction, target) => diceScores(prediction, target, 3, { threshold: 0 })[0]!,
    first: (numbers) => diceOfCounts(numbers.get('dice')!)[0]!,
  };
}

async function measure({ title, model, input, metrics, target, inJavaScript, first }: Row): Promise<Result> {
  const weights = initialise(model, 0);
  const image = Float32Array.from({ length: sizeOf(input) }, (_, i) => Math.sin(i));
  const targetShape = [input[0]!, model.outChannels, ...input.slice(2)];
  const options = { model, inputShape: input, threads: THREADS };
  const predictor = await openPredictor(options);
  const evaluator = await openEvaluator({ ...options, targetShape, metrics });
  const contenders = [
    async () => (await predictor.run(weights, image))[0]!,
    async () => first(await evaluator.run(weights, { image, target })),
    async () => inJavaScript(await predictor.run(weights, image), target),
  ];
  const times = contenders.map((): number[] => []);
  for (let i = 0; i <= REPEATS; i++) {
    const numbers: number[] = [];
    for (const [j, run] of contenders.entries()) {
      const started = performance.now();
      numbers.push(await run());
      // The first turn warms up.
      if (i > 0) times[j]!.push(performance.now() - started);
    }
    if (!(Math.abs(numbers[1]! - numbers[2]!) < 1e-5)) throw new Error(`${title}: ${numbers[1]} is not ${numbers[2]}`);
  }
  const [alone, inGraph, copied] = times.map(median);
  const rounded = (x: number): number => Math.round(100 * x) / 100;
  return {
    row: title,
    predictMs: rounded(alone!),
    inGraphMs: rounded(inGraph!),
    copiedMs: rounded(copied!),
    ratio: rounded(inGraph! / copied!),
    addedRatio: rounded((inGraph! - alone!) / (copied! - alone!)),
  };
}

/** SSIM of the first image, after that and four further metrics of every image of one channel. */
function imageMetrics(prediction: Float32Array, target: Float32Array, [images, , height, width]: Shape): number[] {
  const size = height! * width!;
  return Array.from({ length: images! }, (_, n) => {
    const [x, y] = [prediction, target].map((all) => all.subarray(n * size, (n + 1) * size));
    let [squares, masked, relative, counted] = [0, 0, 0, 0];
    for (let i = 0; i < size; i++) {
      const distance = x![i]! - y![i]!;
      squares += distance * distance;
      if (!(y![i]! > 0)) continue;
      masked += distance * distance;
      relative += Math.abs(distance) / y![i]!;
      counted++;
    }
    const errors = [squares / size, masked / counted, relative / counted, 10 * Math.log10(size / squares)];
    return errors.some(Number.isNaN) ? Number.NaN : ssimOf(x!, y!, height!, width!);
  });
}

/** MONAI's: Gaussian windows of 11 pixels inside the image, range 1. */
function ssimOf(x: Float32Array, y: Float32Array, height: number, width: number): number {
  const heights = Array.from({ length: 11 }, (_, i) => Math.exp(-(((i - 5) / 1.5) ** 2) / 2));
  const total = heights.reduce((sum, value) => sum + value, 0);
  const kernel = Float64Array.from(heights, (value) => value / total);
  const product = (a: Float32Array, b: Float32Array): Float64Array => Float64Array.from(a, (value, i) => value * b[i]!);
  const fields = [Float64Array.from(x), Float64Array.from(y), product(x, x), product(y, y), product(x, y)];
  const [mx, my, mxx, myy, mxy] = fields.map((field) => smooth(field, kernel, height, width));
  const [c1, c2] = [0.01 ** 2, 0.03 ** 2];
  let sum = 0;
  for (let i = 0; i < mx!.length; i++) {
    const [xx, yy, xy] = [mx![i]! * mx![i]!, my![i]! * my![i]!, mx![i]! * my![i]!];
    const spread = mxx![i]! - xx + myy![i]! - yy;
    sum += ((2 * xy + c1) * (2 * (mxy![i]! - xy) + c2)) / ((xx + yy + c1) * (spread + c2));
  }
  return sum / mx!.length;
}

function smooth(field: Float64Array, kernel: Float64Array, height: number, width: number): Float64Array {
  const [rows, columns] = [height - kernel.length + 1, width - kernel.length + 1];
  const along = new Float64Array(height * columns);
  for (let r = 0; r < height; r++) {
    for (let c = 0; c < columns; c++) {
      let sum = 0;
      for (let k = 0; k < kernel.length; k++) sum += kernel[k]! * field[r * width + c + k]!;
      along[r * columns + c] = sum;
    }
  }
  const result = new Float64Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      let sum = 0;
      for (let k = 0; k < kernel.length; k++) sum += kernel[k]! * along[(r + k) * columns + c]!;
      result[r * columns + c] = sum;
    }
  }
  return result;
}
