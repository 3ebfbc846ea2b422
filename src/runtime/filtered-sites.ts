/**
 * The server's own filters, around any implementation of the port: on the model before it leaves, and on each answer before
 * the workflow sees it.
 *
 * @module
 */
import { errorToData } from '../errors';
import { applyFilters, type FilterContext } from '../filters/filter';
import { filterModel, filtersFor, type PlacedFilter } from '../filters/placed-filter';
import type { PrivacyCost } from '../privacy/cost';
import type { NoiseSource } from '../privacy/noise-source';
import type { SiteAnswer, Task } from '../protocol/messages';
import type { BroadcastOptions, Sites } from '../protocol/sites';
import { linkedController } from '../util/linked-controller';
import { mergeAsync } from '../util/merge-async';

export interface ServerFilters {
  readonly outgoing: readonly PlacedFilter[];
  readonly incoming: readonly PlacedFilter[];
  readonly noise: (round: number) => NoiseSource;
  /** The server's account of what its filters cost. */
  readonly ledger: {
    spent(filter: string): number;
    charge(task: Pick<Task, 'round' | 'kind'>, filter: string, cost: PrivacyCost): Promise<void>;
  };
}

/** A broadcast: the task as the workflow gave it and as it was sent. */
interface Asked {
  readonly task: Task;
  readonly sent: Task;
  readonly options: BroadcastOptions;
}

/** The port with the server's filters on it; the port itself when there are none. */
export function filteredSites(sites: Sites, filters: ServerFilters): Sites {
  const { outgoing, incoming, noise, ledger } = filters;
  if (outgoing.length === 0 && incoming.length === 0) return sites;
  const booked = roundCosts();
  return {
    names: sites.names,
    async *broadcast(task, names, options) {
      const groups = [...groupBy(names, (site) => sameFilters(outgoing, task.kind, site)).values()];
      // A workflow that stops listening also stops the sites.
      const { signal, close } = linkedController([options.signal]);
      try {
        yield* mergeAsync(groups.map((group) => broadcastTo(group, task, { ...options, signal })));
      } finally {
        close();
      }
    },
  };

  /** Sends one filtered model to the sites that share the same filters. */
  async function* broadcastTo(
    names: readonly string[],
    task: Task,
    options: BroadcastOptions,
  ): AsyncGenerator<SiteAnswer> {
    let filtered: Task;
    try {
      filtered = await filterModel(outgoing, task, names[0]!, contextOf(task, names, options));
    } catch (error) {
      if (options.signal.aborted) throw error;
      for (const site of names) yield { status: 'failed', site, error: errorToData(error) };
      return;
    }
    for await (const answer of sites.broadcast(filtered, names, options)) {
      yield receive(answer, { task, sent: filtered, options });
    }
  }

  async function receive(answer: SiteAnswer, { task, sent, options }: Asked): Promise<SiteAnswer> {
    if (answer.status !== 'ok') return answer;
    const { site, update } = answer;
    try {
      const passed = filtersFor(incoming, task.kind, site);
      const payload = await applyFilters(passed, update.payload, contextOf(task, [site], options));
      const costs = booked.of(task.round, site);
      // The file holds what the site sent, and says on which model that was computed.
      const isAsSpooled = passed.length + costs.length === 0 && sent.model === task.model;
      const { release, spooled, ...rest } = answer;
      return {
        ...rest,
        ...(release && passed.length === 0 && { release }), // A filter may keep what it was given.
        ...(spooled !== undefined && isAsSpooled && { spooled }),
        update: { ...update, payload, privacy: [...update.privacy, ...costs] },
      };
    } catch (error) {
      if (options.signal.aborted) throw error;
      return { status: 'failed', site, error: errorToData(error) };
    }
  }

  /** Of a call that is about these sites; they share its cost. */
  function contextOf({ kind, round }: Task, about: readonly string[], { signal }: BroadcastOptions): FilterContext {
    return {
      site: about[0]!,
      task: kind,
      round,
      signal,
      noise: noise(round),
      spent: ledger.spent,
      charge: async (name, cost) => {
        await ledger.charge({ round, kind }, name, cost);
        for (const site of about) booked.add(round, site, cost);
      },
    };
  }
}

/** What the server's filters have charged for each site in a round so far, in order. Only the newest round is kept. */
function roundCosts() {
  let newest = -1;
  const bySite = new Map<string, PrivacyCost[]>();
  return {
    add(round: number, site: string, cost: PrivacyCost): void {
      if (round !== newest) bySite.clear();
      newest = round;
      bySite.set(site, [...(bySite.get(site) ?? []), cost]);
    },
    of: (round: number, site: string): readonly PrivacyCost[] => (round === newest ? (bySite.get(site) ?? []) : []),
  };
}

/** A key that is equal for sites whose payloads pass the same filters. */
function sameFilters(placed: readonly PlacedFilter[], task: string, site: string): string {
  const applied = new Set(filtersFor(placed, task, site));
  return placed.map(({ filter }) => (applied.has(filter) ? '1' : '0')).join('');
}

function groupBy<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group) group.push(value);
    else groups.set(key, [value]);
  }
  return groups;
}
