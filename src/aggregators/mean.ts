import type { AggregatorSpecOf } from '../jobs/aggregator-spec';
import type { AggregatorOptions, DirectAggregator } from './aggregator';
import { weightedMean } from './weighted-mean';

/**
 * The mean in which every site counts the same, whatever its number of steps: FedMean, as the comparison of strategies by Fiszer
 * et al. (https://doi.org/10.1016/j.bspc.2026.109649) calls it.
 *
 *     weight-diff:  new = global + (1/K) Σ Δ_k        weights:  new = (1/K) Σ w_k
 */
export function mean(_: AggregatorSpecOf<'mean'>, options: AggregatorOptions): DirectAggregator {
  return weightedMean(options, () => 1);
}
