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

/** A product of the same numbers: the factors change places or not, and get rows of zeros in front of the product. */
interface Form {
  readonly exchanged: boolean;
  readonly rows: number;
}

/** The form with the least to compute that is stable. Rows run out of reach of thread counts, so there is one. */
function stableForm(rows: number, columns: number, terms: number, batch: number): Form {
  const forms = [false, true].map((exchanged): Form => {
    const [own, other] = exchanged ? [columns, rows] : [rows, columns];
    let padded = own;
    while (!batchedProductIsStable(padded, other, terms, batch)) padded++;
    return { exchanged, rows: padded };
  });
  const [straight, exchanged] = forms as [Form, Form];
  // At equal work the straight form saves transposing.
  return exchanged.rows * rows < straight.rows * columns ? exchanged : straight;
}

/** a·b; where the straight product is not stable, as (bᵀ·aᵀ)ᵀ, or with rows of zeros below the first factor. */
function stableProduct(w: OnnxWriter, a: Factor, b: Factor, batch: number): string {
  const [rows, terms, columns] = [a.shape.at(-2)!, a.shape.at(-1)!, b.shape.at(-1)!];
  const form = stableForm(rows, columns, terms, batch);
  if (!form.exchanged) return paddedProduct(w, a, b, form.rows);
  const product = paddedProduct(w, turned(w, b), turned(w, a), form.rows);
  const rank = Math.max(a.shape.length, b.shape.length);
  return w.transpose(product, lastTwoExchanged(rank));
}

const lastTwoExchanged = (rank: number): readonly number[] =>
  Array.from({ length: rank }, (_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i));

function turned(w: OnnxWriter, { name, shape }: Factor): Factor {
  const order = lastTwoExchanged(shape.length);
  return { name: w.transpose(name, order), shape: order.map((axis) => shape[axis]!) };
}

function paddedProduct(w: OnnxWriter, a: Factor, b: Factor, rows: number): string {
  const own = a.shape.at(-2)!;
  if (rows === own) return w.node('MatMul', [a.name, b.name]);
  const rank = a.shape.length;
  const pads = new Array<number>(2 * rank).fill(0);
  pads[2 * rank - 2] = rows - own;
  const product = w.node('MatMul', [w.node('Pad', [a.name, w.ints(pads)]), b.name]);
  return w.slice(product, [Math.max(rank, b.shape.length) - 2], [0], [own]);
}
