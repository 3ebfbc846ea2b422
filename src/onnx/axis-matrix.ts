/**
 * Linear maps along single axes, as products with constant matrices: exact, adjoint by transposition, and faster than the
 * runtime's own operators for most of what is written so.
 *
 * @module
 */
import type { Taps } from '../graph/interpolation';
import { type Shape, sizeOf } from '../tensor/tensor';
import { batchedProductIsStable, productIsStable } from './partition';
import type { OnnxWriter } from './writer';

/** A `[rows, columns]` matrix in C order. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

/** The matrix of a table over `n` positions. */
export function matrixOf(taps: Taps, n: number): Matrix {
  const values = new Float32Array(taps.length * n);
  for (const [i, sources] of taps.entries()) for (const [from, weight] of sources) values[i * n + from]! += weight;
  return { rows: taps.length, columns: n, values };
}

export function transposed({ rows, columns, values }: Matrix): Matrix {
  const turned = Float32Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!);
  return { rows: columns, columns: rows, values: turned };
}

function isIdentity({ rows, columns, values }: Matrix): boolean {
  return rows === columns && values.every((value, i) => value === (i % (columns + 1) === 0 ? 1 : 0));
}

/**
 * x with one matrix applied along each of its last axes. Axes that shrink most come first and those that grow most last,
 * so that the tensor is small in between; of equal ones the last axis comes first where it grows.
 */
export function applyMatrices(w: OnnxWriter, x: string, shape: Shape, matrices: readonly Matrix[]): string {
  const first = shape.length - matrices.length;
  const grows = (i: number): number => matrices[i]!.rows / matrices[i]!.columns;
  const order = matrices.map((_, i) => i).sort((i, j) => grows(i) - grows(j) || (grows(i) > 1 ? j - i : i - j));
  const now = [...shape];
  let value = x;
  for (const i of order) {
    const matrix = matrices[i]!;
    if (isIdentity(matrix)) continue;
    value = applyAlong(w, value, now, first + i, matrix);
    now[first + i] = matrix.rows;
  }
  return w.reshape(value, now);
}

/** `[before, rows, after]`, flattened: the product along one axis, in a form whose bits do not depend on threads. */
function applyAlong(w: OnnxWriter, x: string, shape: Shape, axis: number, matrix: Matrix): string {
  const [before, after] = [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis + 1))];
  if (after === 1) return applyToRows(w, x, before, matrix);
  const { rows, columns } = matrix;
  const whole = padded(matrix, (count) => batchedProductIsStable(count, after, columns, before));
  const factor = w.floats(whole.values, [whole.rows, columns]);
  const product = w.node('MatMul', [factor, w.reshape(x, [before, columns, after])]);
  return whole.rows === rows ? product : w.slice(product, [1], [0], [rows]);
}

/** `[count, rows]`: each of `count` rows of x times the matrix transposed. */
function applyToRows(w: OnnxWriter, x: string, count: number, matrix: Matrix): string {
  const { rows, columns } = matrix;
  // A product with one column depends on threads: zeros make a second.
  const whole = padded(matrix, (n) => n > 1);
  let more = count;
  while (!productIsStable(more, whole.rows, columns)) more++;
  const given = w.reshape(x, [count, columns]);
  const filled = more === count ? given : w.node('Pad', [given, w.ints([0, 0, more - count, 0])]);
  const product = w.node('Gemm', [filled, w.floats(whole.values, [whole.rows, columns])], { transB: 1 });
  return more === count && whole.rows === rows ? product : w.slice(product, [0, 1], [0, 0], [count, rows]);
}

/** The matrix with as many rows of zeros at its end as it takes. */
function padded(matrix: Matrix, suffices: (rows: number) => boolean): Matrix {
  let { rows } = matrix;
  while (!suffices(rows)) rows++;
  const values = new Float32Array(rows * matrix.columns);
  values.set(matrix.values);
  return { ...matrix, rows, values };
}

/** x with every position of its last axes repeated, `times` along each. */
export function repeatPositions(w: OnnxWriter, x: string, shape: Shape, times: readonly number[]): string {
  const first = shape.length - times.length;
  const now = [...shape];
  let value = x;
  for (let i = times.length - 1; i >= 0; i--) {
    const count = times[i]!;
    if (count === 1) continue;
    const axis = first + i;
    const [before, after] = [sizeOf(now.slice(0, axis + 1)), sizeOf(now.slice(axis + 1))];
    const rows = w.reshape(value, [before, after]);
    value = after === 1 ? repeatElements(w, rows, before, count) : concatCopies(w, rows, count);
    now[axis]! *= count;
  }
  return w.reshape(value, now);
}

const concatCopies = (w: OnnxWriter, rows: string, count: number): string =>
  w.node('Concat', new Array<string>(count).fill(rows), { axis: 1 });

/** Each of `length` numbers `count` times. */
function repeatElements(w: OnnxWriter, column: string, length: number, count: number): string {
  return w.reshape(concatCopies(w, column, count), [length * count]);
}
