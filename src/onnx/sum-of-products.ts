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
  readonly terms: number;
}

interface Factors {
  readonly m: number;
  readonly n: number;
  readonly columns?: boolean;
}

/**
 * The sum of the slabs' products, `[m, n]`. The factors change places, or get rows of zeros, where the bits would depend
 * on the number of threads otherwise.
 */
export function sumOfProducts(w: OnnxWriter, slabProducts: readonly Product[], factors: Factors): string {
  const { m, n, columns = false } = factors;
  if (w.target.device === 'webgpu') {
    return slabProducts
      .map((product) => productByRuns(w, product, factors))
      .reduce((sum, part) => w.node('Add', [sum, part]));
  }
  const terms = slabProducts.reduce((sum, product) => sum + product.terms, 0);
  const direct = { transB: columns ? 0 : 1 };
  if (productIsStable(m, n, terms)) return accumulate(w, slabProducts, direct);
  if (productIsStable(n, m, terms)) {
    const exchanged = slabProducts.map(({ a, b, terms }) => ({ a: b, b: a, terms }));
    return w.transpose(accumulate(w, exchanged, { transA: columns ? 1 : 0, transB: 1 }), [1, 0]);
  }
  let rows = m;
  while (rows < n || !productIsStable(rows, n, terms)) rows++;
  const padded = slabProducts.map((product) => {
    return { ...product, a: w.node('Pad', [product.a, w.ints([0, 0, rows - m, 0])]) };
  });
  return w.slice(accumulate(w, padded, direct), [0], [0], [m]);
}

function accumulate(w: OnnxWriter, products: readonly Product[], attributes: Readonly<Record<string, number>>): string {
  return products.reduce((sum, { a, b }) => w.node('Gemm', sum === '' ? [a, b] : [a, b, sum], attributes), '');
}

/** Terms that WebGPU sums one after the other. */
const RUN = 1024;

/**
 * WebGPU computes the tiles of a product beside each other and a tile's terms one after the other: a small product of many
 * terms would leave most of the device idle. So runs of terms are products of their own, and their sum is taken then.
 */
function productByRuns(w: OnnxWriter, { a, b, terms }: Product, { m, n, columns = false }: Factors): string {
  const runs = Math.floor(terms / RUN);
  if (runs < 2) return w.node('Gemm', [a, b], { transB: columns ? 0 : 1 });
  const length = Math.ceil(terms / runs);
  const missing = runs * length - terms;
  const filled = (x: string, axis: number): string =>
    missing === 0 ? x : w.node('Pad', [x, w.ints([0, 0, ...(axis === 0 ? [missing, 0] : [0, missing])])]);
  const rows = w.transpose(w.reshape(filled(a, 1), [m, runs, length]), [1, 0, 2]);
  const others = columns
    ? w.reshape(filled(b, 0), [runs, length, n])
    : w.transpose(w.reshape(filled(b, 1), [n, runs, length]), [1, 2, 0]);
  return w.node('ReduceSum', [w.node('MatMul', [rows, others]), w.ints([0])], { keepdims: 0 });
}
