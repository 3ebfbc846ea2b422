import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fill } from '../../../test/golden/fill';
import { Builder } from '../../graph/builder';
import type { Graph } from '../../graph/graph';
import { interpret } from '../../graph/interpret';
import { openGraph } from '../../onnx/open-graph';
import { type Shape, sizeOf } from '../../tensor/tensor';
import { type MetricOptions, writeMetricOf } from './metric';

interface Case {
  readonly shape: Shape;
  /** Whether there is a mask; for Dice, what the target is. */
  readonly given: boolean | 'regions' | 'classes';
  readonly options: MetricOptions;
  readonly numbers: readonly number[];
}

const golden = (file: string) => JSON.parse(readFileSync(join(__dirname, '../../../test/golden', file), 'utf8'));
const { cases } = golden('image-metrics.json') as { readonly cases: readonly Case[] };
const monai = golden('metrics.json') as Readonly<Record<string, readonly (readonly number[])[]>>;

const sines = (shape: Shape, start: number, step: number): number[] =>
  Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(start + step * i));
const single = (shape: Shape): Shape => [shape[0]!, 1, ...shape.slice(2)];

/** The inputs of `test/golden/make/metrics.py`. */
function inputsOf({ shape, given }: Case): readonly (readonly [name: string, shape: Shape, data: number[]])[] {
  if (given === 'regions' || given === 'classes') {
    const classes = (x: number): number => Math.min(Math.floor(((1 + x) / 2) * shape[1]!), shape[1]! - 1);
    const [targetShape, data] =
      given === 'classes'
        ? [single(shape), sines(single(shape), 4, 1.9).map(classes)]
        : [shape, sines(shape, 5, 1.1).map((x) => Number(x > 0.2))];
    const logits = sines(shape, 1, 1.3).map((x) => Math.floor(4 * x) / 4);
    return [
      ['prediction', shape, logits],
      ['target', targetShape, data],
    ];
  }
  const last = sizeOf(shape) - sizeOf(shape.slice(1));
  const target = sines(shape, 1, 0.45).map((x, i) => Math.max(x, 0) / (i < last ? 1 : 4));
  const mask = sines(single(shape), 5, 1.1).map((x) => Number(x > 0.2));
  return [
    ['prediction', shape, sines(shape, 2, 0.7).map((x) => (1 + x) / 2)],
    ['target', shape, target],
    ...(given ? [['mask', single(shape), mask] as const] : []),
  ];
}

function graphOf(
  inputs: readonly (readonly [name: string, shape: Shape, ...unknown[]])[],
  options: MetricOptions,
): Graph {
  const b = new Builder();
  const values = new Map(inputs.map(([name, shape]) => [name, b.input(name, shape)]));
  const [prediction, target, mask] = [values.get('prediction')!, values.get('target')!, values.get('mask')];
  b.output('y', writeMetricOf(b, { prediction, target, ...(mask && { mask }) }, options));
  return b.build();
}

type Inputs = ReturnType<typeof inputsOf>;

function inDouble(inputs: Inputs, options: MetricOptions): Float64Array {
  const feeds = new Map(inputs.map(([name, , data]) => [name, data]));
  return interpret(graphOf(inputs, options), feeds).get('y')!;
}

async function onRuntime(inputs: Inputs, options: MetricOptions, threads = 1): Promise<Float32Array> {
  const session = await openGraph(graphOf(inputs, options), { threads });
  const feeds = inputs.map(([name, shape, data]) => [name, { shape, data: Float32Array.from(data) }] as const);
  return (await session.run(new Map(feeds))).get('y')!;
}

function worst(actual: ArrayLike<number>, expected: readonly number[]): number {
  expect(actual.length).toBe(expected.length);
  return Math.max(...expected.map((value, i) => Math.abs(actual[i]! - value) / Math.max(1, Math.abs(value))));
}

/** Two images by value, one channel. */
const pair = (prediction: number[], target: number[], mask?: number[]): Inputs => [
  ['prediction', [1, 1, prediction.length], prediction],
  ['target', [1, 1, target.length], target],
  ...(mask ? [['mask', [1, 1, mask.length], mask] as const] : []),
];

describe('a metric of each image', () => {
  const titled = cases.map((example) => ({ title: JSON.stringify([example.options, example.given]), example }));

  it.each(titled)('is that of PyTorch, with the same bits on every thread count: $title', async ({ example }) => {
    const inputs = inputsOf(example);
    expect(worst(inDouble(inputs, example.options), example.numbers)).toBeLessThan(1e-12);
    const found = await onRuntime(inputs, example.options);
    expect(worst(found, example.numbers)).toBeLessThan(example.options.kind === 'dice-counts' ? 1e-30 : 5e-6);
    for (const threads of [2, 3]) expect(await onRuntime(inputs, example.options, threads)).toEqual(found);
  });

  const noisy = (shape: Shape, [i, j]: readonly [number, number], share: number): Inputs => {
    const u = (seed: number): number[] => Array.from({ length: sizeOf(shape) }, (_, k) => Math.fround(fill(seed, k)));
    const [x, n] = [u(i), u(j)];
    const mixed = x.map((value, k) => Math.fround((1 - share) * value + share * n[k]!));
    return [
      ['prediction', shape, mixed],
      ['target', shape, x],
    ];
  };
  const deep = noisy([1, 2, 16, 16, 16], [7, 8], 0.2);
  it.each<readonly [string, MetricOptions, Inputs]>([
    ['mse', { kind: 'mse' }, deep],
    ['mae', { kind: 'mae' }, deep],
    ['psnr', { kind: 'psnr' }, deep],
    ['ssim3d', { kind: 'ssim' }, deep],
    ['ssim2d', { kind: 'ssim' }, noisy([2, 1, 32, 24], [9, 10], 0.1)],
  ])('is that of MONAI: %s', async (key, options, inputs) => {
    // MONAI's own numbers are of single precision.
    expect(worst(inDouble(inputs, options), monai[key]!.flat())).toBeLessThan(2e-6);
    expect(worst(await onRuntime(inputs, options), monai[key]!.flat())).toBeLessThan(5e-6);
  });

  it('is not a number over an empty mask, and infinite for a perfect PSNR', async () => {
    const image = pair([1, 2, 3], [0, 0, 0]);
    for (const kind of ['masked-mse', 'relative-error'] as const) {
      expect(await onRuntime(image, { kind })).toEqual(Float32Array.of(Number.NaN));
    }
    expect(await onRuntime(pair([1, 2], [1, 2]), { kind: 'psnr' })).toEqual(Float32Array.of(Infinity));
  });

  it('of relative errors counts voxels that are right where the target is 0, and is infinite where they are wrong', async () => {
    const right = pair([0, 3], [0, 2], [1, 1]);
    expect(await onRuntime(right, { kind: 'relative-error' })).toEqual(Float32Array.of(0.25));
    expect(await onRuntime(pair([1, 3], [0, 2], [1, 1]), { kind: 'relative-error' })).toEqual(
      Float32Array.of(Infinity),
    );
  });

  it('of Dice counts no class where a logit is not a number', async () => {
    const inputs: Inputs = [
      ['prediction', [1, 2, 3], [Number.NaN, 0, 5, 1, 1, 2]],
      ['target', [1, 1, 3], [0, 1, 0]],
    ];
    const counts = await onRuntime(inputs, { kind: 'dice-counts', by: 'argmax' });
    expect([...counts]).toEqual([1, 1, 2, 1, 1, 1]);
  });

  it('does not depend on the other images of a batch, unless the range is theirs', async () => {
    const [shape, all] = [[2, 1, 12, 12], sines([2, 1, 12, 12], 0, 0.3)];
    const other = all.map((x, i) => x * (i < 144 ? 1 : 8) + 0.1 * Math.cos(i));
    const together: Inputs = [
      ['prediction', shape, other],
      ['target', shape, all],
    ];
    const alone: Inputs = [
      ['prediction', [1, 1, 12, 12], other.slice(0, 144)],
      ['target', [1, 1, 12, 12], all.slice(0, 144)],
    ];
    const first = async (inputs: Inputs, dataRange: 'image' | 'batch') =>
      (await onRuntime(inputs, { kind: 'ssim', dataRange }))[0]!;
    expect(await first(together, 'image')).toBe(await first(alone, 'image'));
    expect(await first(alone, 'batch')).toBe(await first(alone, 'image'));
    expect(Math.abs((await first(together, 'batch')) - (await first(alone, 'batch')))).toBeGreaterThan(0.01);
  });

  it('says which target, mask and options it needs', () => {
    const write = (shapes: readonly Shape[], options: MetricOptions) => () =>
      graphOf(
        ['prediction', 'target', 'mask'].slice(0, shapes.length).map((name, i) => [name, shapes[i]!]),
        options,
      );
    const flat = [2, 3, 8, 8];
    for (const kind of ['mse', 'mae', 'masked-mse', 'relative-error', 'psnr', 'ssim'] as const) {
      expect(write([flat, [2, 1, 8, 8]], { kind }), kind).toThrow(
        /target of shape \[2,3,8,8\], .* but it is \[2,1,8,8\]/,
      );
    }
    expect(write([flat, flat, [1, 1, 8, 8]], { kind: 'masked-mse' })).toThrow(
      /mask of shape \[2,1,8,8\] or \[2,3,8,8\], but it is \[1,1,8,8\]/,
    );
    expect(write([flat, [2, 2, 8, 8]], { kind: 'dice-counts' })).toThrow(/or class numbers \[2,1,8,8\]/);
    expect(write([flat, flat], { kind: 'ssim' })).toThrow(/at least 11 voxels/);
    expect(write([flat, flat], { kind: 'psnr', dataRange: 0 })).toThrow(/the metric.*dataRange/s);
    expect(write([flat, flat], { kind: 'lpips' } as never)).toThrow(/kind/);
  });
});
