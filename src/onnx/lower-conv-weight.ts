/**
 * The weight gradient of a convolution: a matrix product of the output gradient with shifted copies of the input, the
 * channels as rows. The copies are made slab by slab, so that they stay in cache and memory stays bounded.
 *
 * @module
 */
import type { NodeOf } from '../graph/graph';
import { type Shape, sizeOf } from '../tensor/tensor';
import { productIsStable } from './partition';
import type { OnnxWriter } from './writer';

/** Bytes that the shifted copies of one slab may take. */
const SLAB_BYTES = 24 * 2 ** 20;

/** Planes smaller than this do not pay for splitting the shifts over both factors. */
const SPLIT_PLANE = 128;

/** Up to this many output channels count as few. */
const NARROW = 32;

export function lowerConvWeightGrad(
  w: OnnxWriter,
  node: NodeOf<'ConvWeightGrad'>,
  [x, dy]: readonly string[],
): readonly string[] {
  const { stride, padding, kernel } = node.attrs;
  const [xShape, dyShape] = [node.inputs[0]!.shape, node.inputs[1]!.shape];
  const factors: Factors = {
    w,
    ...node.attrs,
    x: channelsFirst(w, x!, xShape),
    dy: channelsFirst(w, dy!, dyShape),
    ins: xShape[1]!,
    outs: dyShape[1]!,
    samples: xShape[0]!,
    xSpatial: xShape.slice(2),
    ySpatial: dyShape.slice(2),
  };
  const flat = stride.every((s) => s === 1);
  if (flat && kernel.every((k) => k === 1) && padding.every((p) => p === 0)) return [pointwise(factors)];
  const plane = sizeOf(factors.ySpatial.slice(1));
  const splits = flat && kernel.length > 1 && plane >= SPLIT_PLANE && factors.ySpatial[0]! >= kernel[0]!;
  return [splits ? splitShifts(factors) : allShifts(factors)];
}

interface Factors {
  readonly w: OnnxWriter;
  /** `[I, N, ...]` and `[O, N, ...]`. */
  readonly x: string;
  readonly dy: string;
  readonly ins: number;
  readonly outs: number;
  readonly samples: number;
  readonly xSpatial: readonly number[];
  readonly ySpatial: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly kernel: readonly number[];
}

/** `[C, N, ...]` from `[N, C, ...]`. */
function channelsFirst(w: OnnxWriter, x: string, shape: Shape): string {
  const exchanged = [shape[1]!, shape[0]!, ...shape.slice(2)];
  if (shape[0] === 1) return w.reshape(x, exchanged);
  return w.transpose(
    x,
    shape.map((_, i) => (i < 2 ? 1 - i : i)),
  );
}

function pointwise({ w, x, dy, ins, outs, samples, xSpatial, kernel }: Factors): string {
  const length = samples * sizeOf(xSpatial);
  const product = sumOfProducts(w, [[w.reshape(dy, [outs, length]), w.reshape(x, [ins, length])]], outs, ins, length);
  return w.reshape(product, [outs, ins, ...kernel]);
}

/** Every tuple of taps of a kernel, last axis fastest. */
function taps(kernel: readonly number[]): readonly (readonly number[])[] {
  return kernel.reduce<number[][]>(
    (tuples, k) => tuples.flatMap((tuple) => Array.from({ length: k }, (_, tap) => [...tuple, tap])),
    [[]],
  );
}

/** [0, length) cut into equal runs of about `run`, each at least `least` long. */
function slabs(length: number, run: number, least: number): readonly (readonly [from: number, to: number])[] {
  const count = Math.max(1, Math.min(Math.ceil(length / Math.max(run, 1)), Math.floor(length / least)));
  const cut = (i: number): number => Math.floor((i * length) / count);
  return Array.from({ length: count }, (_, i) => [cut(i), cut(i + 1)]);
}

/**
 * The sum over slabs of a·bᵀ, for a of `m` and b of `n` rows: `[m, n]`. The factors change places, or get rows of zeros,
 * where the result would depend on the number of threads otherwise.
 */
function sumOfProducts(
  w: OnnxWriter,
  slabFactors: readonly (readonly [a: string, b: string])[],
  m: number,
  n: number,
  terms: number,
): string {
  const add = (pairs: readonly (readonly [string, string])[]): string =>
    pairs.reduce((sum, [a, b]) => w.node('Gemm', sum === '' ? [a, b] : [a, b, sum], { transB: 1 }), '');
  const swapped = slabFactors.map(([a, b]) => [b, a] as const);
  if (productIsStable(m, n, terms)) return add(slabFactors);
  if (productIsStable(n, m, terms)) {
    // Three axes: the runtime would take back a Gemm with its factors exchanged from a plain transpose.
    return w.reshape(w.transpose(w.reshape(add(swapped), [1, n, m]), [0, 2, 1]), [m, n]);
  }
  let rows = m;
  while (rows < n || !productIsStable(rows, n, terms)) rows++;
  const padded = slabFactors.map(([a, b]) => [w.node('Pad', [a, w.ints([0, 0, rows - m, 0])]), b] as const);
  return w.slice(add(padded), [0], [0], [m]);
}

/** One row of columns per tap and input channel, as in im2col: for any stride. */
function allShifts({ w, x, dy, ins, outs, samples, ySpatial, stride, padding, kernel }: Factors): string {
  const axes = ySpatial.map((_, i) => i + 2);
  const pads = [0, 0, ...padding];
  const padded = padding.some((p) => p > 0) ? w.node('Pad', [x, w.ints([...pads, ...pads])]) : x;
  const perRow = 4 * ins * sizeOf(kernel) * samples * sizeOf(ySpatial.slice(1));
  const products = slabs(ySpatial[0]!, Math.floor(SLAB_BYTES / perRow), 1).map(([from, to]) => {
    const lengths = [to - from, ...ySpatial.slice(1)];
    const length = samples * sizeOf(lengths);
    const shifted = taps(kernel).map((tap) => {
      const start = tap.map((t, i) => t + (i === 0 ? from * stride[0]! : 0));
      const end = start.map((s, i) => s + (lengths[i]! - 1) * stride[i]! + 1);
      return w.slice(padded, axes, start, end, stride);
    });
    const columns = w.reshape(shifted.length === 1 ? shifted[0]! : w.node('Concat', shifted, { axis: 0 }), [
      sizeOf(kernel) * ins,
      length,
    ]);
    const whole = to - from === ySpatial[0];
    const rows = w.reshape(whole ? dy : w.slice(dy, [2], [from], [to]), [outs, length]);
    return [rows, columns] as const;
  });
  const count = sizeOf(kernel) * ins;
  const terms = samples * sizeOf(ySpatial);
  // With few output channels the larger factor goes first: the runtime lays out the second one anew.
  if (outs > NARROW) {
    const product = w.reshape(sumOfProducts(w, products, outs, count, terms), [outs, sizeOf(kernel), ins]);
    return w.reshape(w.transpose(product, [0, 2, 1]), [outs, ins, ...kernel]);
  }
  const swapped = products.map(([rows, columns]) => [columns, rows] as const);
  const product = w.reshape(sumOfProducts(w, swapped, count, outs, terms), [sizeOf(kernel), ins, outs]);
  return w.reshape(w.transpose(product, [2, 1, 0]), [outs, ins, ...kernel]);
}

/**
 * For stride 1: the shifts along the first spatial axis are made on dy, the others on x, so that 3 + 9 copies do the work
 * of 27. Both stand on the grid of the padded input's first axis: x at its place, dy moved up by its tap.
 */
function splitShifts({ w, x, dy, ins, outs, samples, xSpatial, ySpatial, padding, kernel }: Factors): string {
  const [firstTaps, ...planeKernel] = kernel as [number, ...number[]];
  const plane = sizeOf(ySpatial.slice(1));
  const grid = xSpatial[0]! + 2 * padding[0]!;
  const perRow = 4 * ins * sizeOf(planeKernel) * samples * plane;
  const planeTaps = taps(planeKernel);
  const products = slabs(grid, Math.floor(SLAB_BYTES / perRow), firstTaps).map(([from, to]) => {
    const length = samples * (to - from) * plane;
    const shiftedX = planeTaps.map((tap) => {
      const begin = tap.map((t, i) => padding[i + 1]! - t);
      const end = begin.map((b, i) => ySpatial[i + 1]! - xSpatial[i + 1]! - b);
      const first = padding[0]! - from;
      return w.node('Pad', [x, w.ints([0, 0, first, ...begin, 0, 0, to - from - xSpatial[0]! - first, ...end])]);
    });
    const shiftedDy = Array.from({ length: firstTaps }, (_, tap) => {
      const begin = tap - from;
      const flat = w.reshape(dy, [outs, samples, ySpatial[0]!, plane]);
      return w.node('Pad', [flat, w.ints([0, 0, begin, 0, 0, 0, to - from - ySpatial[0]! - begin, 0])]);
    });
    const rows = (parts: readonly string[], count: number): string =>
      w.reshape(parts.length === 1 ? parts[0]! : w.node('Concat', parts, { axis: 0 }), [count, length]);
    return [rows(shiftedX, planeTaps.length * ins), rows(shiftedDy, firstTaps * outs)] as const;
  });
  const terms = samples * grid * plane;
  const sum = sumOfProducts(w, products, planeTaps.length * ins, firstTaps * outs, terms);
  const product = w.reshape(sum, [planeTaps.length, ins, firstTaps, outs]);
  return w.reshape(w.transpose(product, [3, 1, 2, 0]), [outs, ins, ...kernel]);
}
