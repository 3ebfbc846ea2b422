/**
 * What the aggregators share that weigh sites by the costs they report: FedCostWAvg and FedPIDAvg.
 *
 * @module
 */
import { type NamedTensors, type Tensor, tensor } from '../tensor/tensor';
import { type Aggregator, type AggregatorOptions, aggregatorMemory, type SiteUpdate } from './aggregator';
import { type CollectedUpdate, collectUpdates } from './collect-updates';
import { newModel } from './new-model';
import { reject } from './validate-update';

/** What a site has reported, for its weight. */
export interface SiteCosts {
  readonly site: string;
  /** Its share of all steps of the round. */
  readonly stepShare: number;
  /** In this round. */
  readonly now: number;
  /** In the rounds before in which it took part, the oldest first; empty at first. */
  readonly before: readonly number[];
}

export interface CostRule {
  readonly name: string;
  readonly metric: string;
  /** How many earlier costs of a site it keeps. */
  readonly window: number;
  /** Whether costs have to be above 0. */
  readonly positive: boolean;
  /** Weights of the sites, which add up to 1. */
  readonly weights: (sites: readonly SiteCosts[]) => { readonly weights: readonly number[]; readonly notes: string[] };
}

/** Name in the server's memory of what a site has reported. */
const nameOf = (site: string): string => `${aggregatorMemory}costs/${site}`;

/** An aggregator that weighs the sites by a rule of their costs. One update at a time is read again where they are on disk. */
export function weighedByCost(options: AggregatorOptions, rule: CostRule): Aggregator {
  return collectUpdates(options, {
    name: rule.name,
    fewest: 1,
    check: (update) => {
      costOf(update, rule);
    },
    async combine(updates) {
      const sites = costsOf(options, updates, rule);
      const { weights, notes } = rule.weights(sites);
      const model = newModel(options, await weightedSum(options, updates, weights));
      return { model, memory: remember(options, sites, rule), notes };
    },
  });
}

/** @throws UpdateRejectedError when an update has no such metric, or one that is no cost. */
function costOf({ site, payload }: SiteUpdate, { name, metric, positive }: CostRule): number {
  const value = payload.metrics[metric];
  if (typeof value === 'number' && Number.isFinite(value) && (!positive || value > 0)) return value;
  const what = positive ? 'a number above 0' : 'a number';
  const came =
    value === undefined ? `its metrics are ${Object.keys(payload.metrics).join(', ') || 'none'}` : `${value}`;
  reject(
    site,
    `the aggregator '${name}' needs its cost '${metric}', ${what}, but ${value === undefined ? came : `got ${came}`}`,
    `Let the training report '${metric}', or name another metric of it with the aggregator's option metric.`,
  );
}

function costsOf(
  { memory }: AggregatorOptions,
  updates: readonly CollectedUpdate[],
  { metric }: CostRule,
): SiteCosts[] {
  const total = updates.reduce((sum, { steps }) => sum + steps, 0);
  return updates.map(({ site, steps, metrics }) => {
    const before = [...(memory?.get(nameOf(site))?.data ?? [])].map(Number);
    return { site, stepShare: steps / total, now: metrics[metric]!, before };
  });
}

/** Σ weightᵢ·xᵢ by tensor, in float64 and in site order. */
async function weightedSum(
  { reference }: AggregatorOptions,
  updates: readonly CollectedUpdate[],
  weights: readonly number[],
): Promise<Float64Array[]> {
  const sums = [...reference.values()].map(({ data }) => new Float64Array(data.length));
  for (const [k, update] of updates.entries()) {
    const tensors = await update.tensors();
    for (const [t, name] of [...reference.keys()].entries()) addTo(sums[t]!, weights[k]!, tensors.get(name)!);
  }
  return sums;
}

function addTo(sum: Float64Array, weight: number, { data }: Tensor): void {
  const numbers = data instanceof BigInt64Array ? Float64Array.from(data, Number) : (data as Float64Array);
  for (let i = 0; i < sum.length; i++) sum[i]! += weight * numbers[i]!;
}

/** The costs of all sites, those included that were not in this round. */
function remember(
  { memory = new Map() }: AggregatorOptions,
  sites: readonly SiteCosts[],
  rule: CostRule,
): NamedTensors {
  const earlier = [...memory].filter(([name]) => name.startsWith(nameOf('')));
  const now = sites.map(({ site, before, now }): [string, Tensor] => {
    const costs = [...before, now].slice(-rule.window);
    return [nameOf(site), tensor('float64', [costs.length], Float64Array.from(costs))];
  });
  return new Map([...earlier, ...now]);
}
