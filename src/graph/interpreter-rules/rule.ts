/**
 * What a rule of the interpreter is, and the walks over arrays that rules share.
 *
 * @module
 */
import { type Shape, sizeOf } from '../../tensor/tensor';
import type { Op, Ops } from '../ops';

/** A tensor of the interpreter. */
export interface Array64 {
  readonly shape: Shape;
  readonly data: Float64Array;
}

/** The outputs' numbers, from inputs, attributes and the outputs' shapes. */
export type InterpreterRule<K extends Op> = (
  inputs: readonly Array64[],
  attrs: Ops[K],
  shapes: readonly Shape[],
) => readonly Float64Array[];

/** A rule for every operator of a family. */
export type InterpreterRules<K extends Op> = { readonly [P in K]: InterpreterRule<P> };

/** Element strides of an array in C order. */
export function stridesOf(shape: Shape): readonly number[] {
  return shape.map((_, i) => sizeOf(shape.slice(i + 1)));
}

/** Element strides of `from` seen as `to`: 0 along stretched axes. */
export function broadcastStrides(from: Shape, to: Shape): readonly number[] {
  const strides = new Array<number>(to.length).fill(0);
  let step = 1;
  for (let i = from.length - 1; i >= 0; i--) {
    if (from[i]! > 1) strides[to.length - from.length + i] = step;
    step *= from[i]!;
  }
  return strides;
}

/** For every element of `shape` in C order, its offset under `strides`. */
export function offsets(shape: Shape, strides: readonly number[]): Int32Array {
  let result = new Int32Array(1);
  for (const [axis, n] of shape.entries()) {
    const next = new Int32Array(result.length * n);
    for (let i = 0; i < next.length; i++) next[i] = result[Math.floor(i / n)]! + (i % n) * strides[axis]!;
    result = next;
  }
  return result;
}

/** The elements of x that a walk over `shape` with `strides` meets. */
export function gather(x: Array64, shape: Shape, strides: readonly number[]): Float64Array {
  return Float64Array.from(offsets(shape, strides), (at) => x.data[at]!);
}
