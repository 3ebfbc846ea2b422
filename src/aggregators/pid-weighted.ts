import type { AggregatorSpecOf } from '../jobs/aggregator-spec';
import type { Aggregator, AggregatorOptions } from './aggregator';
import { type SiteCosts, weighedByCost } from './site-costs';

/**
 * FedPIDAvg (Mächler et al. 2023, https://arxiv.org/abs/2304.12117): sites count by their steps n, by the drop k of their cost L since
 * their last round and by the sum m of their costs of the last rounds, this one not included:
 *
 *     weightⱼ = α·nⱼ/Σn + β·kⱼ/Σk + γ·mⱼ/Σm        kⱼ = Lⱼ(before) − Lⱼ(now)
 *
 * The first round is federated averaging. With `absolute`, kⱼ is |Lⱼ(before) − Lⱼ(now)|. The paper's k has a sign: where some costs rise
 * and others drop, Σk can come near 0 and weights leave 0 … 1, which the round's notes tell; at Σk = 0 exactly, as at Σm = 0, that share
 * goes by steps too. A site without an earlier round has k = m = 0. L is what the site says: no defence against one that lies.
 */
export function pidWeighted(spec: AggregatorSpecOf<'pid-weighted'>, options: AggregatorOptions): Aggregator {
  const { kind: name, metric, window } = spec;
  return weighedByCost(options, {
    name,
    metric,
    window,
    positive: false,
    weights(sites) {
      const weights = weightsOf(spec, sites);
      return { weights, notes: notesOn(sites, weights) };
    },
  });
}

function weightsOf(
  { alpha, beta, gamma, absolute }: AggregatorSpecOf<'pid-weighted'>,
  sites: readonly SiteCosts[],
): number[] {
  const steps = sites.map(({ stepShare }) => stepShare);
  if (sites.every(({ before }) => before.length === 0)) return steps;
  const drops = sites.map(({ before, now }) => (before.length === 0 ? 0 : before.at(-1)! - now));
  const byDrop = sharesOf(absolute ? drops.map(Math.abs) : drops, steps);
  const bySum = sharesOf(
    sites.map(({ before }) => before.reduce((sum, cost) => sum + cost, 0)),
    steps,
  );
  return steps.map((share, j) => alpha * share + beta * byDrop[j]! + gamma * bySum[j]!);
}

function sharesOf(values: readonly number[], otherwise: readonly number[]): readonly number[] {
  const total = values.reduce((sum, value) => sum + value, 0);
  return total === 0 ? otherwise : values.map((value) => value / total);
}

function notesOn(sites: readonly SiteCosts[], weights: readonly number[]): string[] {
  const outside = sites.flatMap(({ site }, j) =>
    weights[j]! < 0 || weights[j]! > 1 ? [`${site} ${weights[j]!.toPrecision(3)}`] : [],
  );
  if (outside.length === 0) return [];
  const known = outside.slice(0, 8).join(', ') + (outside.length > 8 ? ', …' : '');
  return [
    `FedPIDAvg: weights outside 0 … 1, because some costs rose while others dropped: ${known}. With 'absolute: true' there are none.`,
  ];
}
