import type { AggregatorSpecOf } from '../jobs/aggregator-spec';
import type { Aggregator, AggregatorOptions } from './aggregator';
import { weighedByCost } from './site-costs';

/**
 * FedCostWAvg (Mächler et al. 2021, https://arxiv.org/abs/2111.08649): sites count by their steps n and by how much their cost L has
 * dropped since their last round:
 *
 *     weightⱼ = α·nⱼ/Σn + (1 − α)·kⱼ/Σk        kⱼ = Lⱼ(before) / Lⱼ(now)
 *
 * The first round is federated averaging. A site without an earlier round counts as one whose cost stayed the same, kⱼ = 1, which the
 * paper does not speak of. L is what the site says: no defence against one that lies.
 */
export function costWeighted(spec: AggregatorSpecOf<'cost-weighted'>, options: AggregatorOptions): Aggregator {
  const { kind: name, alpha, metric } = spec;
  return weighedByCost(options, {
    name,
    metric,
    window: 1,
    positive: true,
    weights(sites) {
      const drops = sites.map(({ before, now }) => (before.at(-1) ?? now) / now);
      const total = drops.reduce((sum, drop) => sum + drop, 0);
      const isFirst = sites.every(({ before }) => before.length === 0);
      const weights = sites.map(({ stepShare }, j) =>
        isFirst ? stepShare : alpha * stepShare + ((1 - alpha) * drops[j]!) / total,
      );
      return { weights, notes: [] };
    },
  });
}
