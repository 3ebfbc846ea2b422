/**
 * What each operator computes, in float64 and without haste: the oracle that gradients and the runtime are tested against.
 *
 * @module
 */
import { type Shape, sizeOf } from '../tensor/tensor';
import { visitConv } from './interpreter-conv';
import { groupNorm, groupNormGrad } from './interpreter-norm';
import type { Op, Ops } from './ops';
import { broadcastShapes } from './shape-rules';

/** A tensor of the interpreter. */
export interface Array64 {
  readonly shape: Shape;
  readonly data: Float64Array;
}

type InterpreterRule<K extends Op> = (
  inputs: readonly Array64[],
  attrs: Ops[K],
  shapes: readonly Shape[],
) => readonly Float64Array[];

/** Element strides of `from` seen as `to`: 0 along stretched axes. */
function broadcastStrides(from: Shape, to: Shape): readonly number[] {
  const strides = new Array<number>(to.length).fill(0);
  let step = 1;
  for (let i = from.length - 1; i >= 0; i--) {
    if (from[i]! > 1) strides[to.length - from.length + i] = step;
    step *= from[i]!;
  }
  return strides;
}

/** For every element of `shape` in C order, its offset under `strides`. */
function offsets(shape: Shape, strides: readonly number[]): Int32Array {
  let result = new Int32Array(1);
  for (const [axis, n] of shape.entries()) {
    const next = new Int32Array(result.length * n);
    for (let i = 0; i < next.length; i++) next[i] = result[Math.floor(i / n)]! + (i % n) * strides[axis]!;
    result = next;
  }
  return result;
}

const unary =
  (f: (x: number) => number) =>
  ([x]: readonly Array64[]): readonly Float64Array[] => [x!.data.map(f)];

const binary =
  (f: (a: number, b: number) => number) =>
  ([a, b]: readonly Array64[]): readonly Float64Array[] => {
    const shape = broadcastShapes(a!.shape, b!.shape);
    const inA = offsets(shape, broadcastStrides(a!.shape, shape));
    const inB = offsets(shape, broadcastStrides(b!.shape, shape));
    return [Float64Array.from(inA, (at, i) => f(a!.data[at]!, b!.data[inB[i]!]!))];
  };

/** Σ term(i) into the cells of `reduced`, which has length 1 along summed axes. */
function sumInto(shape: Shape, reduced: Shape, term: (i: number) => number): Float64Array {
  const into = offsets(shape, broadcastStrides(reduced, shape));
  const sums = new Float64Array(sizeOf(reduced));
  for (let i = 0; i < into.length; i++) sums[into[i]!]! += term(i);
  return sums;
}

function gather(x: Array64, shape: Shape, strides: readonly number[]): Float64Array {
  return Float64Array.from(offsets(shape, strides), (at) => x.data[at]!);
}

/** Linear interpolation to twice the length: neighbours and weights of each position, per axis. */
function* upsampleTaps(shape: Shape): Generator<readonly [from: number, to: number, weight: number]> {
  const doubled = shape.map((n, i) => (i < 2 ? n : 2 * n));
  for (let to = 0; to < sizeOf(doubled); to++) {
    let taps: (readonly [number, number])[] = [[0, 1]];
    let rest = to;
    let step = 1;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const n = shape[axis]!;
      const position = rest % doubled[axis]!;
      rest = Math.floor(rest / doubled[axis]!);
      const size = step;
      const neighbours = axis < 2 ? [[position, 1] as const] : linearNeighbours(position, n);
      taps = taps.flatMap(([at, weight]) => neighbours.map(([i, w]) => [at + i * size, weight * w] as const));
      step *= n;
    }
    for (const [from, weight] of taps) yield [from, to, weight];
  }
}

/** Half-pixel centres: output 2k takes ¼ of k−1 and ¾ of k, output 2k+1 takes ¾ of k and ¼ of k+1, edges clamped. */
function linearNeighbours(position: number, length: number): readonly (readonly [number, number])[] {
  const near = position >> 1;
  const far = position % 2 === 0 ? Math.max(near - 1, 0) : Math.min(near + 1, length - 1);
  return [
    [near, 0.75],
    [far, 0.25],
  ];
}

export const interpreterRules: { readonly [K in Op]: InterpreterRule<K> } = {
  Constant: (_, { values }) => [Float64Array.from(values)],
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  Div: binary((a, b) => a / b),
  Neg: unary((x) => -x),
  Sqrt: unary(Math.sqrt),
  Sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  Relu: unary((x) => Math.max(x, 0)),
  ReluGrad: binary((g, y) => (y > 0 ? g : 0)),
  ReduceSum: ([x], _, [shape]) => [sumInto(x!.shape, shape!, (i) => x!.data[i]!)],
  SumProduct: ([a, b], _, [shape]) => [sumInto(a!.shape, shape!, (i) => a!.data[i]! * b!.data[i]!)],
  Reshape: ([x]) => [x!.data],
  Expand: ([x], { shape }) => [gather(x!, shape, broadcastStrides(x!.shape, shape))],
  Transpose: ([x], { order }, [shape]) => {
    const strides = x!.shape.map((_, i) => sizeOf(x!.shape.slice(i + 1)));
    const permuted = order.map((axis) => strides[axis]!);
    return [gather(x!, shape!, permuted)];
  },
  Conv: ([x, w], attrs, [shape]) => {
    const y = new Float64Array(sizeOf(shape!));
    visitConv(x!.shape, w!.shape, shape!, attrs, (xStart, xStep, wIndex, yStart, count) => {
      const weight = w!.data[wIndex]!;
      for (let j = 0; j < count; j++) y[yStart + j]! += weight * x!.data[xStart + j * xStep]!;
    });
    return [y];
  },
  ConvInputGrad: ([dy, w], attrs, [shape]) => {
    const dx = new Float64Array(sizeOf(shape!));
    visitConv(shape!, w!.shape, dy!.shape, attrs, (xStart, xStep, wIndex, yStart, count) => {
      const weight = w!.data[wIndex]!;
      for (let j = 0; j < count; j++) dx[xStart + j * xStep]! += weight * dy!.data[yStart + j]!;
    });
    return [dx];
  },
  ConvWeightGrad: ([x, dy], attrs, [shape]) => {
    const dw = new Float64Array(sizeOf(shape!));
    visitConv(x!.shape, shape!, dy!.shape, attrs, (xStart, xStep, wIndex, yStart, count) => {
      let sum = 0;
      for (let j = 0; j < count; j++) sum += dy!.data[yStart + j]! * x!.data[xStart + j * xStep]!;
      dw[wIndex]! += sum;
    });
    return [dw];
  },
  GroupNorm: ([x, scale, shift], { groups, epsilon }) => groupNorm(x!, scale!, shift!, groups, epsilon),
  GroupNormGrad: ([dy, x, scale, mean, rstd], { groups }) => groupNormGrad(dy!, x!, scale!, mean!, rstd!, groups),
  UpsampleLinear: ([x], _, [shape]) => {
    const y = new Float64Array(sizeOf(shape!));
    for (const [from, to, weight] of upsampleTaps(x!.shape)) y[to]! += weight * x!.data[from]!;
    return [y];
  },
  UpsampleLinearGrad: ([dy], _, [shape]) => {
    const dx = new Float64Array(sizeOf(shape!));
    for (const [from, to, weight] of upsampleTaps(shape!)) dx[from]! += weight * dy!.data[to]!;
    return [dx];
  },
};
