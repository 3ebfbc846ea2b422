/**
 * Sums whose bits do not depend on the number of threads. The runtime's sum over the last axes is one (a row, a thread),
 * and that over the first axes (each column its terms in order); others are not, and are said with these two.
 *
 * A long row is summed in blocks and the blocks are summed then: more parallel than one long sum, and
 * more accurate in float32.
 *
 * @module
 */
import { type Shape, sizeOf } from '../tensor/tensor';
import type { OnnxWriter } from './writer';

const BLOCK = 1024;

/** The largest divisor of `size` that is at most `BLOCK`; rows without a useful one stay whole. */
function blockLength(size: number): number {
  if (size <= BLOCK) return size;
  for (let n = BLOCK; n >= 64; n--) if (size % n === 0) return n;
  return size;
}

/** Σ over each of `rows` runs of `size` numbers: `[rows, 1]`. */
export function sumRows(w: OnnxWriter, x: string, rows: number, size: number): string {
  const block = blockLength(size);
  const parts = w.node('ReduceSum', [w.reshape(x, [rows * (size / block), block]), w.ints([1])], { keepdims: 1 });
  return sumParts(w, parts, rows, size / block);
}

/** Σ a·b over each of `rows` runs of `size` numbers: `[rows, 1]`. Faster than as a product of matrices, six times so. */
export function sumProduct(w: OnnxWriter, a: string, b: string, rows: number, size: number): string {
  return sumRows(w, w.node('Mul', [a, b]), rows, size);
}

/** Σ over `axes` of x of the given shape; they stay as axes of length 1. The axes at the end go first: they leave little. */
export function sumOver(w: OnnxWriter, x: string, shape: Shape, axes: readonly number[]): string {
  const now = [...shape];
  let value = x;
  for (let to = shape.length; to > 0; to--) {
    if (!axes.includes(to - 1)) continue;
    let from = to - 1;
    while (from > 0 && axes.includes(from - 1)) from--;
    value = sumBetween(w, value, sizeOf(now.slice(0, from)), sizeOf(now.slice(from, to)), sizeOf(now.slice(to)));
    now.fill(1, from, to);
    to = from + 1;
  }
  return axes.length === 0 ? x : w.reshape(value, now);
}

/** Σ over the middle axis of x seen as `[before, length, after]`. */
function sumBetween(w: OnnxWriter, x: string, before: number, length: number, after: number): string {
  if (length === 1) return x;
  if (after === 1) return sumRows(w, x, before, length);
  const first = before === 1 ? x : w.transpose(w.reshape(x, [before, length, after]), [1, 0, 2]);
  return w.node('ReduceSum', [w.reshape(first, [length, before * after]), w.ints([0])], { keepdims: 1 });
}

function sumParts(w: OnnxWriter, parts: string, rows: number, count: number): string {
  if (count === 1) return w.reshape(parts, [rows, 1]);
  return w.node('ReduceSum', [w.reshape(parts, [rows, count]), w.ints([1])], { keepdims: 1 });
}
