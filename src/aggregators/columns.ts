/**
 * Updates number by number: a column holds the value of one number of the model in each update.
 *
 * @module
 */
import { forEachBlock, type Point } from './points';

/** Fewer values than this are sorted by insertion, which needs no call. */
const manyValues = 32;

/** What `combine` makes of each column; it may change the column, whose values are in the order of the points. */
export async function byColumn(
  points: readonly Point[],
  combine: (column: Float64Array) => number,
): Promise<Float64Array[]> {
  const result = points[0]!.map(({ length }) => new Float64Array(length));
  const column = new Float64Array(points.length);
  await forEachBlock(result, (t, from, to) => {
    const rows = points.map((point) => point[t]!);
    const out = result[t]!;
    for (let k = from; k < to; k++) {
      for (let i = 0; i < rows.length; i++) column[i] = rows[i]![k]! + 0; // −0 becomes 0: no order could tell them apart.
      out[k] = combine(column);
    }
  });
  return result;
}

/** Sorts in place, the smallest first. */
export function sortColumn(values: Float64Array): Float64Array {
  if (values.length > manyValues) return values.sort();
  for (let i = 1; i < values.length; i++) {
    const value = values[i]!;
    let at = i;
    for (; at > 0 && values[at - 1]! > value; at--) values[at] = values[at - 1]!;
    values[at] = value;
  }
  return values;
}

/** The median of sorted values: of an even number of them, the mean of the two in the middle. */
export function medianOfSorted(values: Float64Array): number {
  const half = values.length >> 1;
  return values.length % 2 === 1 ? values[half]! : meanWithin(values, half - 1, half + 1);
}

/** The mean of `values[from…to)`, never outside of them by rounding or overflow. */
export function meanWithin(values: Float64Array, from: number, to: number): number {
  let sum = 0;
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (let i = from; i < to; i++) {
    const value = values[i]!;
    sum += value;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return Math.min(most, Math.max(least, sum / (to - from)));
}
