/**
 * The weight gradient of a convolution: a matrix product of the output gradient with shifted copies of the input, the
 * channels as rows. The copies are made slab by slab, so that they stay in cache and memory stays bounded.
 *
 * @module
 */
import type { NodeOf } from '../graph/graph';
import { type Shape, sizeOf } from '../tensor/tensor';
import { type VolumeFactors, weightGradByRows } from './lower-conv-weight-rows';
import { SLAB_BYTES, slabs, sumOfProducts } from './sum-of-products';
import type { OnnxWriter } from './writer';

/** Rows from this length on pay to be moved one by one. Measured: at half of it other ways are level. */
const LONG_ROW = 32;

/** Planes smaller than this do not pay for splitting the shifts over both factors. */
const SPLIT_PLANE = 128;

export function lowerConvWeightGrad(
  w: OnnxWriter,
  { attrs, inputs }: NodeOf<'ConvWeightGrad'>,
  [x, dy]: readonly string[],
): readonly string[] {
  return [weightGrad(w, { ...attrs, xShape: inputs[0]!.shape, dyShape: inputs[1]!.shape }, x!, dy!)];
}

interface WeightGrad {
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly kernel: readonly number[];
  readonly xShape: Shape;
  readonly dyShape: Shape;
}

/** The weight gradient of a convolution in one group, `[O, I, ...kernel]`. */
export function weightGrad(w: OnnxWriter, conv: WeightGrad, x: string, dy: string): string {
  const { stride, padding, dilation, kernel, xShape, dyShape } = conv;
  const factors: Factors = {
    ...{ w, stride, padding, dilation, kernel },
    x: channelsFirst(w, x, xShape),
    dy: channelsFirst(w, dy, dyShape),
    ins: xShape[1]!,
    outs: dyShape[1]!,
    samples: xShape[0]!,
    xSpatial: xShape.slice(2),
    ySpatial: dyShape.slice(2),
  };
  const flat = stride.every((s) => s === 1);
  if (flat && kernel.every((k) => k === 1) && padding.every((p) => p === 0)) return pointwise(factors);
  const dense = flat && dilation.every((d) => d === 1) && kernel.length > 1;
  if (dense && factors.ySpatial.at(-1)! >= LONG_ROW) return weightGradByRows(asVolume(factors));
  const plane = sizeOf(factors.ySpatial.slice(1));
  const splits = dense && plane >= SPLIT_PLANE && factors.ySpatial[0]! >= kernel[0]!;
  return splits ? splitShifts(factors) : gatherShifts(factors);
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
  readonly dilation: readonly number[];
  readonly kernel: readonly number[];
}

/** An image is a volume whose planes are rows. */
function asVolume(factors: Factors): VolumeFactors {
  const { w, x, dy, ins, outs, samples, kernel, padding, xSpatial, ySpatial } = factors;
  const spread = (lengths: readonly number[], missing: number): readonly [number, number, number] => {
    const [first, ...others] = lengths as [number, ...number[]];
    return (others.length === 2 ? lengths : [first, missing, others[0]!]) as [number, number, number];
  };
  const [from, to] = [spread(xSpatial, 1), spread(ySpatial, 1)];
  const volume = {
    ...{ w, ins, outs, samples, xSpatial: from, ySpatial: to },
    x: w.reshape(x, [ins, samples, ...from]),
    dy: w.reshape(dy, [outs, samples, ...to]),
    kernel: spread(kernel, 1),
    padding: spread(padding, 0),
  };
  return { ...volume, weightShape: [outs, ins, ...kernel] };
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
  const rows = (name: string, channels: number, [from, to]: readonly [number, number]): string => {
    const flat = w.reshape(name, [channels, length]);
    return to - from === length ? flat : w.slice(flat, [1], [from], [to]);
  };
  const run = Math.floor(SLAB_BYTES / (4 * Math.max(ins, outs)));
  const products = slabs(length, run, 1).map((slab) => {
    return { a: rows(dy, outs, slab), b: rows(x, ins, slab), terms: slab[1] - slab[0] };
  });
  const product = sumOfProducts(w, products, { m: outs, n: ins });
  return w.reshape(product, [outs, ins, ...kernel]);
}

/** Every tuple of taps of a kernel, last axis fastest. */
export function kernelTaps(kernel: readonly number[]): readonly (readonly number[])[] {
  return kernel.reduce<number[][]>(
    (tuples, k) => tuples.flatMap((tuple) => Array.from({ length: k }, (_, tap) => [...tuple, tap])),
    [[]],
  );
}

/**
 * For any stride: the input's voxels, channels together, gathered for each output voxel and tap: im2col. Without a stride
 * it pays for small planes.
 */
function gatherShifts(factors: Factors): string {
  const { w, dy, ins, outs, samples, ySpatial, kernel } = factors;
  const perRow = 4 * ins * sizeOf(kernel) * samples * sizeOf(ySpatial.slice(1));
  const products = slabs(ySpatial[0]!, Math.floor(SLAB_BYTES / perRow), 1).map(([from, to]) => {
    const length = samples * (to - from) * sizeOf(ySpatial.slice(1));
    const gathered = gatheredShifts(factors, from, to);
    const whole = to - from === ySpatial[0];
    const rows = w.reshape(whole ? dy : w.slice(dy, [2], [from], [to]), [outs, length]);
    return { a: rows, b: w.reshape(gathered, [length, sizeOf(kernel) * ins]), terms: length };
  });
  const size = { m: outs, n: sizeOf(kernel) * ins, columns: true };
  const product = w.reshape(sumOfProducts(w, products, size), [outs, sizeOf(kernel), ins]);
  return w.reshape(w.transpose(product, [0, 2, 1]), [outs, ins, ...kernel]);
}

/** For the outputs [from, to) along the first axis, the part of the padded input that they see, gathered. */
function gatheredShifts(factors: Factors, from: number, to: number): string {
  const { w, x, ins, samples, xSpatial, stride, dilation, padding, kernel } = factors;
  const first = from * stride[0]! - padding[0]!;
  const seen = (to - 1 - from) * stride[0]! + (kernel[0]! - 1) * dilation[0]! + 1;
  const begins = padding.map((p, i) => (i === 0 ? -first : p));
  const ends = padding.map((p, i) => (i === 0 ? first + seen - xSpatial[0]! : p));
  const padded = xSpatial.map((n, i) => begins[i]! + n + ends[i]!);
  const same = [...begins, ...ends].every((n) => n === 0);
  const part = same ? x : w.node('Pad', [x, w.ints([0, 0, ...begins, 0, 0, ...ends])]);
  const channelsLast = w.transpose(w.reshape(part, [ins, samples * sizeOf(padded)]), [1, 0]);
  return w.node('Gather', [channelsLast, gatherIndices(factors, padded, to - from)], { axis: 0 });
}

/**
 * The row of each sample, output voxel and tap among the voxels of a part of the padded input, `[N, ...outputs, ...taps]`:
 * a sum of one small table per axis, so that no large constant is stored.
 *
 * @param outputs along the first axis
 */
function gatherIndices(factors: Factors, padded: readonly number[], outputs: number): string {
  const { w, samples, ySpatial, stride, dilation, kernel } = factors;
  const rank = kernel.length;
  const all = (axis: number, table: readonly number[], taps = 1): string => {
    const dims = new Array<number>(1 + 2 * rank).fill(1);
    dims[axis] = table.length / taps;
    if (axis > 0) dims[axis + rank] = taps;
    return w.places(table, dims);
  };
  const bySample = all(
    0,
    Array.from({ length: samples }, (_, n) => n * sizeOf(padded)),
  );
  return kernel.reduce((sum, taps, i) => {
    const count = i === 0 ? outputs : ySpatial[i]!;
    const pitch = sizeOf(padded.slice(i + 1));
    const table = Array.from({ length: count * taps }, (_, j) => {
      return (Math.floor(j / taps) * stride[i]! + (j % taps) * dilation[i]!) * pitch;
    });
    return w.node('Add', [sum, all(i + 1, table, taps)]);
  }, bySample);
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
  const planeTaps = kernelTaps(planeKernel);
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
    return { a: rows(shiftedX, planeTaps.length * ins), b: rows(shiftedDy, firstTaps * outs), terms: length };
  });
  const size = { m: planeTaps.length * ins, n: firstTaps * outs };
  const sum = sumOfProducts(w, products, size);
  const product = w.reshape(sum, [planeTaps.length, ins, firstTaps, outs]);
  return w.reshape(w.transpose(product, [3, 1, 2, 0]), [outs, ins, ...kernel]);
}
