import type { AggregatorSpecOf } from '../jobs/aggregator-spec';
import type { Aggregator, AggregatorOptions } from './aggregator';
import { byColumn, medianOfSorted, sortColumn } from './columns';
import { distancesTo, moveTowards } from './points';
import { robust } from './robust';

/** A step that is so much shorter than the updates are apart is the last one. */
const smallStep = 1e-9;

/**
 * The geometric median: the point y with the least Σ‖xᵢ − y‖, by Weiszfeld's algorithm with smoothing (RFA, Pillutla et al. 2019,
 * https://arxiv.org/abs/1912.13445, algorithm 2):
 *
 *     y ← Σ wᵢ·xᵢ / Σ wᵢ        wᵢ = 1 / max(ν, ‖xᵢ − y‖)
 *
 * It holds while more than half of the sites are honest. It starts from the median of every number, where the paper starts from the
 * mean, because from a far start the steps are slow; the end is the same. Ignores the sites' steps; needs 3 updates.
 */
export function geometricMedian(spec: AggregatorSpecOf<'geometric-median'>, options: AggregatorOptions): Aggregator {
  const { smoothing, iterations } = spec;
  return robust(spec, options, async (points) => {
    const centre = await byColumn(points, (column) => medianOfSorted(sortColumn(column)));
    for (let step = 0; step < iterations; step++) {
      const distances = await distancesTo(centre, points);
      const weights = distances.map((distance) => 1 / Math.max(smoothing, distance));
      const total = sumOf(weights);
      const moved = await moveTowards(
        centre,
        points,
        weights.map((weight) => weight / total),
      );
      if (moved <= smallStep * medianOfSorted(sortColumn(distances))) break;
    }
    return { values: centre };
  });
}

function sumOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}
