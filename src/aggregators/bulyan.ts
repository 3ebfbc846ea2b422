import type { AggregatorSpecOf } from '../jobs/aggregator-spec';
import type { Aggregator, AggregatorOptions } from './aggregator';
import { byColumn, meanWithin, medianOfSorted, sortColumn } from './columns';
import { byScore, krumScores } from './krum';
import { squaredDistances } from './points';
import { robust } from './robust';

/**
 * Bulyan over Krum (El Mhamdi et al. 2018, https://arxiv.org/abs/1802.07927, section 4): Krum chooses θ = n − 2f updates, one after the
 * other, each among those that are left; then every number is the mean of the θ − 2f values nearest to the median of the chosen.
 * A wrong update that Krum takes because it is off in few numbers is undone in these. Of equals, the earlier site's counts. Needs
 * n ≥ 4f + 3. Ignores the sites' steps.
 */
export function bulyan(spec: AggregatorSpecOf<'bulyan'>, options: AggregatorOptions): Aggregator {
  const { faulty } = spec;
  return robust(spec, options, async (points) => {
    const chosen = bulyanSelection(await squaredDistances(points), faulty);
    const inSiteOrder = [...chosen].sort((a, b) => a - b).map((i) => points[i]!);
    const near = chosen.length - 2 * faulty;
    const sorted = new Float64Array(chosen.length);
    const values = await byColumn(inSiteOrder, (column) => {
      sorted.set(column);
      return meanNearest(column, medianOfSorted(sortColumn(sorted)), near);
    });
    return { values };
  });
}

/** The updates that Krum chooses, first to last. @param distances squared, of all pairs */
export function bulyanSelection(distances: readonly Float64Array[], faulty: number): number[] {
  let left = [...distances.keys()];
  const chosen: number[] = [];
  while (chosen.length < distances.length - 2 * faulty) {
    const [best] = byScore(krumScores(distances, left.length - faulty - 2, left));
    chosen.push(left[best!]!);
    left = left.filter((_, place) => place !== best);
  }
  return chosen;
}

/** The mean of the `count` values nearest to `centre`, of equally near ones the earlier; the values are put into that order. */
export function meanNearest(values: Float64Array, centre: number, count: number): number {
  for (let i = 1; i < values.length; i++) {
    const value = values[i]!;
    const distance = Math.abs(value - centre);
    let at = i;
    for (; at > 0 && Math.abs(values[at - 1]! - centre) > distance; at--) values[at] = values[at - 1]!;
    values[at] = value;
  }
  return meanWithin(values, 0, count);
}
