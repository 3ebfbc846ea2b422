/**
 * The CPU provider's matrix product cuts its sums into chunks whose length depends on how many columns a thread got; so
 * the last bit of a result can depend on the number of threads. The rules here say for which sizes it cannot, as read in
 * the runtime's source (`sgemm.cpp`, `convolve.cpp`, 1.30); tests compare runs with several thread counts.
 *
 * @module
 */

/** Thread counts up to this give equal bits. */
export const MAX_THREADS = 8;

/** Sums of at most this many terms are one chunk whatever the columns. */
const CHUNK = 128;

/** With more columns than this, every sum is cut into the same chunks. */
const MANY_COLUMNS = 64;

/** Columns are handed out in multiples of this. */
const ALIGNMENT = 16;

function everyThreadCount(holds: (threads: number) => boolean): boolean {
  for (let threads = 2; threads <= MAX_THREADS; threads++) if (!holds(threads)) return false;
  return true;
}

/** Whether each thread gets so many of `columns` that chunks stay as they are without threads. */
function columnsSplitAlike(columns: number): boolean {
  return everyThreadCount((threads) => {
    const share = Math.ceil(Math.ceil(columns / threads) / ALIGNMENT) * ALIGNMENT;
    const last = columns - share * (Math.ceil(columns / share) - 1);
    return Math.min(share, last) > MANY_COLUMNS;
  });
}

/** A share of one row goes to another kernel than longer ones. */
function rowsSplitAlike(rows: number): boolean {
  return everyThreadCount((threads) => {
    const share = Math.ceil(rows / threads);
    return share > 1 && rows % share !== 1;
  });
}

/** Whether a product `[rows, terms]·[terms, columns]` has the same bits with any number of threads. */
export function productIsStable(rows: number, columns: number, terms: number): boolean {
  if (columns > rows) return terms <= CHUNK || columnsSplitAlike(columns);
  return rowsSplitAlike(rows);
}

/** With fewer multiplications than this, a product is computed by one thread. */
const ONE_THREAD = 2 ** 16;

/**
 * Whether each of `batch` products `[rows, terms]·[terms, columns]` of matrices as they lie in memory has the same bits
 * with any number of threads.
 */
export function batchedProductIsStable(rows: number, columns: number, terms: number, batch: number): boolean {
  // With a product for each thread, none is shared between threads.
  if (batch >= MAX_THREADS || rows * columns * terms < ONE_THREAD) return true;
  // A row takes its terms in order. A column is computed in groups of rows, and shares end within groups.
  if (rows === 1 || columns === 1) return rows === 1;
  return productIsStable(rows, columns, terms);
}

/** Whether a Conv of one sample to `voxels` positions has the same bits with any number of threads. */
export function convIsStable(outs: number, voxels: number, terms: number, pointwise: boolean): boolean {
  // One position is a product with a column: see `batchedProductIsStable`.
  if (voxels === 1) return outs === 1 || outs * terms < ONE_THREAD;
  if (pointwise || outs > voxels) return productIsStable(outs, voxels, terms);
  return terms <= CHUNK || columnsSplitAlike(voxels);
}
