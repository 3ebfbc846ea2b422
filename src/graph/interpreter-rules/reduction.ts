import { type Shape, sizeOf } from '../../tensor/tensor';
import type { ReductionOps } from '../ops/reduction';
import { type Array64, broadcastStrides, type InterpreterRules, offsets } from './rule';

/** The cell of `reduced`, which has length 1 along reduced axes, of each element of `shape`. */
function cells(shape: Shape, reduced: Shape): Int32Array {
  return offsets(shape, broadcastStrides(reduced, shape));
}

/** Σ term(i) into the cells of `reduced`. */
function sumInto(shape: Shape, reduced: Shape, term: (i: number) => number): Float64Array {
  const into = cells(shape, reduced);
  const sums = new Float64Array(sizeOf(reduced));
  for (let i = 0; i < into.length; i++) sums[into[i]!]! += term(i);
  return sums;
}

function maxInto(x: Array64, reduced: Shape): Float64Array {
  const into = cells(x.shape, reduced);
  const most = new Float64Array(sizeOf(reduced)).fill(-Infinity);
  for (let i = 0; i < into.length; i++) most[into[i]!] = Math.max(most[into[i]!]!, x.data[i]!);
  return most;
}

/** x − ln Σ eˣ along an axis. */
function logSoftmax(x: Array64, axis: number): Float64Array {
  const reduced = x.shape.map((n, i) => (i === axis ? 1 : n));
  const into = cells(x.shape, reduced);
  const most = maxInto(x, reduced);
  const below = x.data.map((value, i) => value - most[into[i]!]!);
  const sums = sumInto(x.shape, reduced, (i) => Math.exp(below[i]!));
  return below.map((value, i) => value - Math.log(sums[into[i]!]!));
}

export const reductionInterpreters: InterpreterRules<keyof ReductionOps> = {
  ReduceSum: ([x], _, [shape]) => [sumInto(x!.shape, shape!, (i) => x!.data[i]!)],
  ReduceMax: ([x], _, [shape]) => [maxInto(x!, shape!)],
  SumProduct: ([a, b], _, [shape]) => [sumInto(a!.shape, shape!, (i) => a!.data[i]! * b!.data[i]!)],
  Softmax: ([x], { axis }) => [logSoftmax(x!, axis).map(Math.exp)],
  LogSoftmax: ([x], { axis }) => [logSoftmax(x!, axis)],
};
