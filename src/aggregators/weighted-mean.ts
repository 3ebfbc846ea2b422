import { InternalError, QuorumError } from '../errors';
import type { NamedTensors } from '../tensor/tensor';
import { admit, checkRound } from './admit';
import type { AggregatorOptions, Contribution, DirectAggregator, ReloadedUpdate, SiteUpdate } from './aggregator';
import { accumulate, meanOf, type WeightedUpdate, zeroSums } from './weighted-sums';

/** The sums go through memory once for so many updates: memory is what adding waits for. */
const updatesAtOnce = 4;

/** Of larger models no update is held back for that. */
const manyNumbers = 4 * 2 ** 20;

/** An update that waits for its turn: in memory, or on disk. */
type WaitingUpdate = Omit<WeightedUpdate, 'weight'> | { readonly reload: () => Promise<ReloadedUpdate> };

/**
 * The mean of updates weighted by their step counts (federated averaging, McMahan et al. 2017,
 * https://arxiv.org/abs/1602.05629), for one round:
 *
 *     weight-diff:  new = global + Σ n_k Δ_k / Σ n_k        weights:  new = Σ n_k w_k / Σ n_k
 *
 * in float64, rounded once to the model's dtype; a counter (int64) to the nearest whole number. Sums are formed in site order, never in order of arrival, so the same
 * updates give the same bits however they arrive; which sites are missing is all that matters.
 *
 * Memory: one float64 copy of the model, plus the updates that came before an update of an earlier site did: by
 * reference, at most all but one of the sites, and only until the first answers or is skipped. Of those that can be read
 * again, none but the one that is being added.
 *
 * @param weightOf n_k of an update. @default its steps
 * @throws ConfigError for a site named twice or a `maxSteps` below 1; ShapeError for tensors that have no mean.
 */
export function weightedMean(
  options: AggregatorOptions,
  weightOf: (update: SiteUpdate) => number = ({ payload }) => payload.steps,
): DirectAggregator {
  checkRound(options);
  const { reference, siteOrder } = options;
  const sums = zeroSums(reference);
  const taken = new Map<string, { readonly steps: number; readonly weight: number }>();
  const waiting = new Map<string, WaitingUpdate>();
  const expected = new Set(siteOrder);
  const skipped = new Set<string>();
  let turn = 0;
  let result: NamedTensors | undefined;

  /** Updates whose turn it is, on their way into the sums. */
  let ready: WeightedUpdate[] = [];
  const atOnce = sums.length > manyNumbers ? 1 : updatesAtOnce;

  function addToSums(site: string, update: Omit<WeightedUpdate, 'weight'>): void {
    waiting.delete(site);
    ready.push({ ...update, weight: taken.get(site)!.weight });
    if (ready.length >= atOnce) addReady();
  }

  function addReady(): void {
    let t = 0;
    for (const name of reference.keys()) accumulate(sums.byTensor[t++]!, name, ready);
    for (const { release } of ready) release?.();
    ready = [];
  }

  /** Adds what is in memory; what has to be read first is added afterwards, one after the other. */
  function addThoseWhoseTurnItIs(): void | Promise<void> {
    for (; turn < siteOrder.length; turn++) {
      const site = siteOrder[turn]!;
      const update = waiting.get(site);
      if (update && !('tensors' in update)) return readAndGoOn(site, update.reload);
      if (update) addToSums(site, update);
      else if (!skipped.has(site)) return;
    }
  }

  async function readAndGoOn(site: string, reload: () => Promise<ReloadedUpdate>): Promise<void> {
    const { payload, release } = await reload();
    waiting.set(site, { tensors: payload.tensors, release });
    await addThoseWhoseTurnItIs();
  }

  return {
    add(update, release, reload): void | Promise<void> {
      const { site, payload } = update;
      admit(update, options, { expected, taken, skipped, over: result !== undefined });
      taken.set(site, { steps: payload.steps, weight: weightOf(update) });
      waiting.set(site, { tensors: payload.tensors, release });
      const added = addThoseWhoseTurnItIs();
      if (waiting.has(site) && reload) {
        waiting.set(site, { reload });
        release?.();
      }
      return added;
    },

    skip(site: string): void | Promise<void> {
      if (taken.has(site)) return;
      skipped.add(site);
      return addThoseWhoseTurnItIs();
    },

    contributions(): readonly Contribution[] {
      return siteOrder.filter((site) => taken.has(site)).map((site) => ({ site, steps: taken.get(site)!.steps }));
    },

    finish(): NamedTensors {
      if (result !== undefined) return result;
      if (taken.size === 0) throw new QuorumError('No site has sent an update that could be averaged in this round.');
      for (const site of siteOrder) {
        const update = waiting.get(site);
        if (update && !('tensors' in update)) throw new InternalError(`The update of ${site} was not read again.`);
        if (update) addToSums(site, update);
      }
      addReady();
      const total = [...taken.values()].reduce((sum, { weight }) => sum + weight, 0);
      result = meanOf(options, sums.byTensor, total);
      sums.release();
      return result;
    },
  };
}
