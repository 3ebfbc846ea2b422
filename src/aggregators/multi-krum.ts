import type { AggregatorSpecOf } from '../jobs/aggregator-spec';
import type { Aggregator, AggregatorOptions } from './aggregator';
import { byColumn, meanWithin } from './columns';
import { byScore, krumScores } from './krum';
import { squaredDistances } from './points';
import { robust } from './robust';

/**
 * Multi-Krum (Blanchard et al. 2017, https://arxiv.org/abs/1703.02757, section 4): the mean of the m updates with the least Krum scores,
 * m = n − f − 2 unless the job says otherwise. The proof covers no larger m; m ≤ n − f is allowed, as many as there are honest updates.
 * Needs n ≥ 2f + 3 and n ≥ f + m. Ignores the sites' steps.
 */
export function multiKrum(spec: AggregatorSpecOf<'multi-krum'>, options: AggregatorOptions): Aggregator {
  return robust(spec, options, async (points) => {
    const neighbours = points.length - spec.faulty - 2;
    const ranked = byScore(krumScores(await squaredDistances(points), neighbours));
    const chosen = ranked.slice(0, spec.selected ?? neighbours).sort((a, b) => a - b);
    const values = await byColumn(
      chosen.map((i) => points[i]!),
      (column) => meanWithin(column, 0, column.length),
    );
    return { values };
  });
}
