/**
 * Products of matrices in a form whose bits do not depend on the number of threads.
 *
 * @module
 */
import type { NodeOf } from '../graph/graph';
import { type Shape, sizeOf } from '../tensor/tensor';
import { batchedProductIsStable } from './partition';
import type { OnnxWriter } from './writer';

interface Factor {
  readonly name: string;
  readonly shape: Shape;
}

export function lowerMatMul(w: OnnxWriter, node: NodeOf<'MatMul'>, names: readonly string[]): readonly string[] {
  const [a, b] = names.map((name, i): Factor => ({ name, shape: node.inputs[i]!.shape }));
  const shape = node.outputs[0]!.shape;
  // One second factor for all: the rows of all first factors are one matrix.
  if (sizeOf(b!.shape.slice(0, -2)) === 1) {
    const rows = { name: a!.name, shape: [sizeOf(a!.shape.slice(0, -1)), a!.shape.at(-1)!] };
    const columns = { name: b!.name, shape: b!.shape.slice(-2) };
    const flat = [rows, columns].map(({ name, shape }) => ({ name: w.reshape(name, shape), shape }));
    return [w.reshape(stableProduct(w, flat[0]!, flat[1]!, 1), shape)];
  }
  return [stableProduct(w, a!, b!, sizeOf(shape.slice(0, -2)))];
}

/** A product of the same numbers: the factors change places or not, and get rows or columns of zeros at the end. */
interface Form {
  readonly exchanged: boolean;
  readonly rows: number;
  readonly columns: number;
}

/** The form with the least to compute that is stable. With more and more rows every product becomes so. */
function stableForm(rows: number, columns: number, terms: number, batch: number): Form {
  const stable = (r: number, c: number): boolean => batchedProductIsStable(r, c, terms, batch);
  const forms = [false, true].map((exchanged): Form => {
    const [ownRows, ownColumns] = exchanged ? [columns, rows] : [rows, columns];
    if (stable(ownRows, ownColumns)) return { exchanged, rows: ownRows, columns: ownColumns };
    const wide = Math.max(2, ownColumns);
    let long = ownRows;
    while (!stable(long, wide)) long++;
    return { exchanged, rows: long, columns: wide };
  });
  const [straight, exchanged] = forms as [Form, Form];
  // At equal work the straight form saves transposing.
  return exchanged.rows * exchanged.columns < straight.rows * straight.columns ? exchanged : straight;
}

/** a·b; where the straight product is not stable, as (bᵀ·aᵀ)ᵀ, or with zeros put to the factors. */
function stableProduct(w: OnnxWriter, a: Factor, b: Factor, batch: number): string {
  const form = stableForm(a.shape.at(-2)!, b.shape.at(-1)!, a.shape.at(-1)!, batch);
  if (!form.exchanged) return paddedProduct(w, a, b, form);
  const product = paddedProduct(w, turned(w, b), turned(w, a), form);
  return w.transpose(product, lastTwoExchanged(Math.max(a.shape.length, b.shape.length)));
}

const lastTwoExchanged = (rank: number): readonly number[] =>
  Array.from({ length: rank }, (_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i));

function turned(w: OnnxWriter, { name, shape }: Factor): Factor {
  const order = lastTwoExchanged(shape.length);
  return { name: w.transpose(name, order), shape: order.map((axis) => shape[axis]!) };
}

function paddedProduct(w: OnnxWriter, a: Factor, b: Factor, { rows, columns }: Form): string {
  const [ownRows, ownColumns] = [a.shape.at(-2)!, b.shape.at(-1)!];
  const product = w.node('MatMul', [lengthened(w, a, 2, rows - ownRows), lengthened(w, b, 1, columns - ownColumns)]);
  if (rows === ownRows && columns === ownColumns) return product;
  const rank = Math.max(a.shape.length, b.shape.length);
  return w.slice(product, [rank - 2, rank - 1], [0, 0], [ownRows, ownColumns]);
}

/** Zeros at the end of an axis, which is counted from the last. */
function lengthened(w: OnnxWriter, { name, shape }: Factor, fromLast: 1 | 2, by: number): string {
  if (by === 0) return name;
  const pads = new Array<number>(2 * shape.length).fill(0);
  pads[2 * shape.length - fromLast] = by;
  return w.node('Pad', [name, w.ints(pads)]);
}
