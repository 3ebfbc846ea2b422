/**
 * Long sums of products as matrix products, slab by slab, so that the factors stay in cache and memory stays bounded.
 *
 * @module
 */
import { productIsStable } from './partition';
import type { OnnxWriter } from './writer';

/** Bytes that the larger factor of one slab should take at most. */
export const SLAB_BYTES = 24 * 2 ** 20;

/** More slabs would make the graph slow to open; where they would be needed, slabs are larger. */
const MAX_SLABS = 48;

/** [0, length) cut into equal runs of about `run`, each at least `least` long, but not into too many. */
export function slabs(length: number, run: number, least: number): readonly (readonly [from: number, to: number])[] {
  const count = Math.max(1, Math.min(Math.ceil(length / Math.max(run, 1)), Math.floor(length / least), MAX_SLABS));
  const cut = (i: number): number => Math.floor((i * length) / count);
  return Array.from({ length: count }, (_, i) => [cut(i), cut(i + 1)]);
}

/** Two factors of a product over `terms`: `[m, terms]`, and `[n, terms]` or, with `columns`, `[terms, n]`. */
export interface Product {
  readonly a: string;
  readonly b: string;
}

/**
 * The sum of the slabs' products, `[m, n]`. The factors change places, or get rows of zeros, where the bits would depend
 * on the number of threads otherwise.
 */
export function sumOfProducts(
  w: OnnxWriter,
  slabProducts: readonly Product[],
  { m, n, terms, columns = false }: { m: number; n: number; terms: number; columns?: boolean },
): string {
  const direct = { transB: columns ? 0 : 1 };
  if (productIsStable(m, n, terms)) return accumulate(w, slabProducts, direct);
  if (productIsStable(n, m, terms)) {
    const exchanged = slabProducts.map(({ a, b }) => ({ a: b, b: a }));
    return w.transpose(accumulate(w, exchanged, { transA: columns ? 1 : 0, transB: 1 }), [1, 0]);
  }
  let rows = m;
  while (rows < n || !productIsStable(rows, n, terms)) rows++;
  const padded = slabProducts.map(({ a, b }) => ({ a: w.node('Pad', [a, w.ints([0, 0, rows - m, 0])]), b }));
  return w.slice(accumulate(w, padded, direct), [0], [0], [m]);
}

function accumulate(w: OnnxWriter, products: readonly Product[], attributes: Readonly<Record<string, number>>): string {
  return products.reduce((sum, { a, b }) => w.node('Gemm', sum === '' ? [a, b] : [a, b, sum], attributes), '');
}
