import type { AggregatorSpecOf } from '../jobs/aggregator-spec';
import type { Aggregator, AggregatorOptions } from './aggregator';
import { sortColumn } from './columns';
import { squaredDistances } from './points';
import { robust } from './robust';

/**
 * Krum (Blanchard et al. 2017, https://arxiv.org/abs/1703.02757, section 4): of n updates, the one with the least sum of squared
 * distances to its n − f − 2 nearest others; of equals, that of the earlier site. Needs n ≥ 2f + 3. Ignores the sites' steps: the model
 * becomes one site's.
 */
export function krum(spec: AggregatorSpecOf<'krum'>, options: AggregatorOptions): Aggregator {
  return robust(spec, options, async (points) => {
    const scores = krumScores(await squaredDistances(points), points.length - spec.faulty - 2);
    const [best] = byScore(scores);
    return { values: points[best!]!.map((data) => Float64Array.from(data)) };
  });
}

/**
 * Of each update, the sum of the squared distances to its nearest others.
 *
 * @param distances squared, of all pairs
 * @param neighbours how many others; at least one counts
 * @param among the updates that are in question. @default all
 */
export function krumScores(
  distances: readonly Float64Array[],
  neighbours: number,
  among: readonly number[] = [...distances.keys()],
): number[] {
  const near = Math.min(Math.max(1, neighbours), among.length - 1);
  return among.map((i) => {
    const others = sortColumn(
      Float64Array.from(
        among.filter((j) => j !== i),
        (j) => distances[i]![j]!,
      ),
    );
    let sum = 0;
    for (let k = 0; k < near; k++) sum += others[k]!;
    return sum;
  });
}

/** Places of the scores, the least first; of equals, the earlier. */
export function byScore(scores: readonly number[]): number[] {
  return [...scores.keys()].sort((a, b) => scores[a]! - scores[b]! || a - b);
}
