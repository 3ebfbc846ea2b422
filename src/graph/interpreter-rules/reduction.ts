import { type Shape, sizeOf } from '../../tensor/tensor';
import type { ReductionOps } from '../ops/reduction';
import { broadcastStrides, type InterpreterRules, offsets } from './rule';

/** Σ term(i) into the cells of `reduced`, which has length 1 along summed axes. */
function sumInto(shape: Shape, reduced: Shape, term: (i: number) => number): Float64Array {
  const into = offsets(shape, broadcastStrides(reduced, shape));
  const sums = new Float64Array(sizeOf(reduced));
  for (let i = 0; i < into.length; i++) sums[into[i]!]! += term(i);
  return sums;
}

export const reductionInterpreters: InterpreterRules<keyof ReductionOps> = {
  ReduceSum: ([x], _, [shape]) => [sumInto(x!.shape, shape!, (i) => x!.data[i]!)],
  SumProduct: ([a, b], _, [shape]) => [sumInto(a!.shape, shape!, (i) => a!.data[i]! * b!.data[i]!)],
};
