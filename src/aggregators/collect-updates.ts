/**
 * What the aggregators share that need all updates of a round before they can begin.
 *
 * @module
 */
import { QuorumError } from '../errors';
import type { Metrics } from '../protocol/payload';
import type { NamedTensors } from '../tensor/tensor';
import { admit, checkRound } from './admit';
import type { Aggregator, AggregatorOptions, SiteUpdate } from './aggregator';

/** An update that was taken. */
export interface CollectedUpdate {
  readonly site: string;
  readonly steps: number;
  readonly metrics: Metrics;
  /** Its tensors: from memory, or read again from where they are kept. */
  tensors(): Promise<NamedTensors>;
}

/** What a rule makes of a round. */
export interface Combined {
  readonly model: NamedTensors;
  /** What it keeps for the next round. @default nothing */
  readonly memory?: NamedTensors;
  readonly notes?: readonly string[];
}

export interface CombiningRule {
  /** As it is called in a job, for messages. */
  readonly name: string;
  /** With fewer updates the round fails. */
  readonly fewest: number;
  /** Refuses an update that the rule can make nothing of. @throws UpdateRejectedError. @default takes all */
  readonly check?: (update: SiteUpdate) => void;
  /** @param updates in site order, at least `fewest` */
  readonly combine: (updates: readonly CollectedUpdate[]) => Promise<Combined>;
}

/**
 * Keeps the updates of a round, then combines them by a rule. The order of arrival has no influence on the result.
 *
 * Memory: the updates, by reference; of those that can be read again, none until the end.
 *
 * @throws ConfigError for a site named twice or a `maxSteps` below 1; ShapeError for tensors that have no mean.
 */
export function collectUpdates(options: AggregatorOptions, rule: CombiningRule): Aggregator {
  checkRound(options);
  const { siteOrder } = options;
  const expected = new Set(siteOrder);
  const taken = new Map<string, CollectedUpdate>();
  const skipped = new Set<string>();
  let combined: Promise<Combined> | undefined;
  let result: Combined | undefined;
  const inOrder = () => siteOrder.flatMap((site) => taken.get(site) ?? []);

  return {
    add(update, _release, reload): void {
      admit(update, options, { expected, taken, skipped, over: combined !== undefined });
      rule.check?.(update);
      taken.set(update.site, collected(update, reload));
    },
    skip(site): void {
      if (!taken.has(site)) skipped.add(site);
    },
    contributions: () => inOrder().map(({ site, steps }) => ({ site, steps })),
    async finish(): Promise<NamedTensors> {
      requireUpdates(rule, taken.size);
      combined ??= rule.combine(inOrder());
      result = await combined;
      return result.model;
    },
    memory: () => result?.memory ?? new Map(),
    notes: () => result?.notes ?? [],
  };
}

function collected({ site, payload }: SiteUpdate, reload?: () => Promise<SiteUpdate>): CollectedUpdate {
  const { steps, metrics, tensors } = payload;
  if (!reload) return { site, steps, metrics, tensors: async () => tensors };
  return { site, steps, metrics, tensors: async () => (await reload()).payload.tensors };
}

/** @throws QuorumError */
function requireUpdates({ name, fewest }: CombiningRule, count: number): void {
  if (count >= fewest && count > 0) return;
  const needed = `${Math.max(1, fewest)} update${fewest > 1 ? 's' : ''}`;
  throw new QuorumError(`The aggregator '${name}' needs ${needed} in a round with its settings, but got ${count}.`, {
    hint: 'Ask for so many with minSites, or choose settings or an aggregator that fewer are enough for.',
  });
}
