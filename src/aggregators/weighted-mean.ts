import { ConfigError, NonFiniteError, QuorumError, ShapeError } from '../errors';
import { allocate, type NamedTensors, type Tensor } from '../tensor/tensor';
import type { Aggregator, Contribution, SiteUpdate } from './aggregator';
import { firstNonFinite, reject, type UpdateRules, validateUpdate } from './validate-update';

export interface WeightedMeanOptions extends UpdateRules {
  readonly kind: 'weights' | 'weight-diff';
  /** Every site that may answer, each once. The sums are formed in this order. */
  readonly siteOrder: readonly string[];
}

/**
 * The mean of updates weighted by their step counts (federated averaging, McMahan et al. 2017), for one round:
 *
 *     weight-diff:  new = global + Σ n_k Δ_k / Σ n_k        weights:  new = Σ n_k w_k / Σ n_k
 *
 * in float64, rounded once to the model's dtype. Sums are formed in site order, never in order of arrival, so the same
 * updates give the same bits however they arrive; which sites are missing is all that matters.
 *
 * Memory: one float64 copy of the model, plus the updates that came before an update of an earlier site did (by
 * reference; at most all but one of the sites, and only while the first is late or missing).
 *
 * @throws ConfigError for a site named twice or a `maxSteps` below 1; ShapeError for tensors that have no mean.
 */
export function weightedMean(options: WeightedMeanOptions): Aggregator {
  checkOptions(options);
  const { reference, siteOrder } = options;
  const sums = [...reference.values()].map(({ data }) => new Float64Array(data.length));
  const taken = new Map<string, number>();
  const waiting = new Map<string, NamedTensors>();
  let turn = 0;
  let result: NamedTensors | undefined;

  function addToSums(site: string, tensors: NamedTensors): void {
    let t = 0;
    for (const name of reference.keys()) accumulate(sums[t++]!, tensors.get(name)!, taken.get(site)!);
    waiting.delete(site);
  }

  return {
    add(update: SiteUpdate): void {
      const { site, payload } = update;
      if (!siteOrder.includes(site)) reject(site, `the round expects ${siteOrder.join(', ')}`);
      if (taken.has(site)) reject(site, 'an update of this site was taken before');
      if (result !== undefined) reject(site, 'the round is over');
      validateUpdate(update, options);
      taken.set(site, payload.steps);
      waiting.set(site, payload.tensors);
      for (; turn < siteOrder.length && waiting.has(siteOrder[turn]!); turn++) {
        addToSums(siteOrder[turn]!, waiting.get(siteOrder[turn]!)!);
      }
    },

    contributions(): readonly Contribution[] {
      return siteOrder.filter((site) => taken.has(site)).map((site) => ({ site, steps: taken.get(site)! }));
    },

    finish(): NamedTensors {
      if (result !== undefined) return result;
      if (taken.size === 0) throw new QuorumError('No site has sent an update that could be averaged in this round.');
      for (const site of siteOrder) if (waiting.has(site)) addToSums(site, waiting.get(site)!);
      const total = [...taken.values()].reduce((sum, steps) => sum + steps, 0);
      result = meanOf(options, sums, total);
      return result;
    },
  };
}

function checkOptions({ reference, siteOrder, maxSteps }: WeightedMeanOptions): void {
  if (new Set(siteOrder).size !== siteOrder.length) {
    throw new ConfigError(`Sites must have different names, but are ${siteOrder.join(', ')}.`);
  }
  if (!Number.isSafeInteger(maxSteps) || maxSteps < 1) {
    throw new ConfigError(`The largest step count of a site must be an integer of at least 1, but was ${maxSteps}.`);
  }
  for (const [name, { dtype }] of reference) {
    if (dtype !== 'float32' && dtype !== 'float64') {
      throw new ShapeError(`Only float32 and float64 tensors can be averaged, but '${name}' is ${dtype}.`);
    }
  }
}

function accumulate(sum: Float64Array, { data }: Tensor, weight: number): void {
  const numbers = data as Float32Array | Float64Array;
  for (let i = 0; i < sum.length; i++) sum[i]! += weight * numbers[i]!;
}

function meanOf({ reference, kind }: WeightedMeanOptions, sums: readonly Float64Array[], total: number): NamedTensors {
  const model = new Map<string, Tensor>();
  let t = 0;
  for (const [name, { dtype, shape, data }] of reference) {
    const sum = sums[t++]!;
    const from = data as Float32Array | Float64Array;
    const to = allocate(dtype, sum.length) as Float32Array | Float64Array;
    if (kind === 'weights') for (let i = 0; i < to.length; i++) to[i] = sum[i]! / total;
    else for (let i = 0; i < to.length; i++) to[i] = from[i]! + sum[i]! / total;
    const mean = { dtype, shape, data: to };
    if (firstNonFinite(mean) !== -1)
      throw new NonFiniteError(`The mean of tensor '${name}' is too large for ${dtype}.`);
    model.set(name, mean);
  }
  return model;
}
