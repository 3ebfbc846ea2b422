import { ShapeError } from '../../errors';
import { type Shape, sizeOf } from '../../tensor/tensor';
import type { LayoutOps, PadAttrs, SliceAttrs } from '../ops/layout';
import { type Array64, broadcastStrides, gather, type InterpreterRules, offsets, stridesOf } from './rule';

/** For every element of a slice of shape `part`, its offset in the whole. */
function sliceSources(whole: Shape, part: Shape, { start, step }: SliceAttrs): Int32Array {
  const strides = stridesOf(whole);
  const first = start.reduce((sum, at, axis) => sum + at * strides[axis]!, 0);
  const steps = strides.map((stride, axis) => stride * step[axis]!);
  return offsets(part, steps).map((offset) => first + offset);
}

/** The position in an axis of `length` that stands at position `at` of the padded axis; −1 for a zero. */
function padSource(mode: PadAttrs['mode'], at: number, length: number): number {
  if (at >= 0 && at < length) return at;
  if (mode === 'zero') return -1;
  if (mode === 'edge') return at < 0 ? 0 : length - 1;
  return at < 0 ? -at : 2 * (length - 1) - at;
}

/** For every element of the padded array, its offset in the array without margin, or −1 for a zero. */
function padSources(inner: Shape, padded: Shape, { mode, begin }: PadAttrs): Int32Array {
  let sources = new Int32Array(1);
  for (const [axis, n] of padded.entries()) {
    const table = Int32Array.from({ length: n }, (_, i) => padSource(mode, i - begin[axis]!, inner[axis]!));
    const next = new Int32Array(sources.length * n);
    for (let i = 0; i < next.length; i++) {
      const [outer, at] = [sources[Math.floor(i / n)]!, table[i % n]!];
      next[i] = outer < 0 || at < 0 ? -1 : outer * inner[axis]! + at;
    }
    sources = next;
  }
  return sources;
}

/** For every element that Gather reads, its offset in x, an array of `shape`. */
function gatherSources(indices: Array64, shape: Shape, axis: number): Int32Array {
  const [length, inner] = [shape[axis]!, sizeOf(shape.slice(axis + 1))];
  for (const at of indices.data) {
    if (!Number.isInteger(at) || at < 0 || at >= length) {
      throw new ShapeError(`Gather: the index ${at} is not a whole number from 0 to ${length - 1}.`);
    }
  }
  const count = indices.data.length * inner;
  return Int32Array.from({ length: sizeOf(shape.slice(0, axis)) * count }, (_, i) => {
    const index = indices.data[Math.floor(i / inner) % indices.data.length]!;
    return (Math.floor(i / count) * length + index) * inner + (i % inner);
  });
}

const pick = (x: Array64, sources: Int32Array): Float64Array =>
  Float64Array.from(sources, (at) => (at < 0 ? 0 : x.data[at]!));

/** The adjoint of `pick`. */
function putBack(g: Array64, sources: Int32Array, shape: Shape): Float64Array {
  const sums = new Float64Array(sizeOf(shape));
  for (const [i, at] of sources.entries()) if (at >= 0) sums[at]! += g.data[i]!;
  return sums;
}

/** For every voxel of a shuffled image of `shape`, its offset in the image before. */
function shuffleSources(shape: Shape, block: number): Int32Array {
  const small = shape.slice(2).map((n) => n / block);
  const strides = stridesOf([...shape.slice(0, 2), ...small.map(() => block), ...small]);
  const inBlock = (axis: number): number => strides[2 + axis]!;
  const ofBlock = (axis: number): number => strides[2 + small.length + axis]!;
  const apart = [...shape.slice(0, 2), ...small.flatMap((n) => [n, block])];
  return offsets(apart, [...strides.slice(0, 2), ...small.flatMap((_, i) => [ofBlock(i), inBlock(i)])]);
}

function concat(inputs: readonly Array64[], axis: number, shape: Shape): Float64Array {
  const y = new Float64Array(sizeOf(shape));
  const pitch = sizeOf(shape.slice(axis));
  let first = 0;
  for (const { shape: part, data } of inputs) {
    const run = sizeOf(part.slice(axis));
    for (let i = 0; i * run < data.length; i++) y.set(data.subarray(i * run, (i + 1) * run), first + i * pitch);
    first += run;
  }
  return y;
}

export const layoutInterpreters: InterpreterRules<keyof LayoutOps> = {
  Constant: (_, { values }) => [Float64Array.from(values)],
  Reshape: ([x]) => [x!.data],
  Expand: ([x], { shape }) => [gather(x!, shape, broadcastStrides(x!.shape, shape))],
  Transpose: ([x], { order }, [shape]) => {
    const strides = stridesOf(x!.shape);
    const permuted = order.map((axis) => strides[axis]!);
    return [gather(x!, shape!, permuted)];
  },
  Concat: (inputs, { axis }, [shape]) => [concat(inputs, axis, shape!)],
  Slice: ([x], attrs, [shape]) => [pick(x!, sliceSources(x!.shape, shape!, attrs))],
  SliceGrad: ([g], attrs, [shape]) => [putBack(g!, sliceSources(shape!, g!.shape, attrs), shape!)],
  Pad: ([x], attrs, [shape]) => [pick(x!, padSources(x!.shape, shape!, attrs))],
  PadGrad: ([g], attrs, [shape]) => [putBack(g!, padSources(shape!, g!.shape, attrs), shape!)],
  Gather: ([x, indices], { axis }) => [pick(x!, gatherSources(indices!, x!.shape, axis))],
  GatherGrad: ([g, indices], { axis }, [shape]) => [putBack(g!, gatherSources(indices!, shape!, axis), shape!)],
  PixelShuffle: ([x], { block }, [shape]) => [pick(x!, shuffleSources(shape!, block))],
  PixelShuffleGrad: ([g], { block }, [shape]) => [putBack(g!, shuffleSources(g!.shape, block), shape!)],
};
