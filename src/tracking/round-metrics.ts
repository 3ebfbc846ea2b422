/**
 * The metrics files of a run: `round_metrics.jsonl`, one line a round and one for the finished model, and
 * `metrics_summary.json`, what to know at a glance.
 *
 * @module
 */
import { join } from 'node:path';
import type { PrivacyCost } from '../privacy/cost';
import type { Metrics } from '../protocol/payload';
import { appendLine, flushFile, writeFileAtomic } from '../util/atomic-file';
import { toJson } from '../util/exact-json';

/** One round, or (`final`) the evaluation of the finished model. `metrics` are those of the model the round started from. */
export interface RoundEntry {
  readonly round: number;
  readonly final?: true | undefined;
  readonly metrics: Metrics;
  readonly sites: readonly SiteEntry[];
  readonly privacy?: RoundPrivacy | undefined;
  /** What else came out of the round, by name. */
  readonly results?: Readonly<Record<string, unknown>> | undefined;
  readonly seconds: number;
  /** When the round ended, ISO 8601. */
  readonly time: string;
}

export interface SiteEntry {
  readonly name: string;
  readonly status: 'ok' | 'failed' | 'late' | 'rejected';
  /** Why the site has no part in the round. */
  readonly reason?: string | undefined;
  readonly steps?: number | undefined;
  readonly metrics?: Metrics | undefined;
  /** One for each filter call. */
  readonly privacy?: readonly PrivacyCost[] | undefined;
}

/** What the round cost the site that it cost most. */
export interface RoundPrivacy {
  readonly mechanism: string;
  readonly differentiallyPrivate: boolean;
  readonly epsilon: number;
  /** Up to and with this round, by basic composition. */
  readonly epsilonTotal: number;
  readonly delta: number;
  readonly unit: string;
}

export interface MetricsSummary {
  readonly keyMetric: string;
  /** Finished rounds. */
  readonly rounds: number;
  /** The entry with the best key metric, the earliest of equals; `null` when none has it. */
  readonly best: { readonly round: number; readonly value: number; readonly metrics: Metrics } | null;
  /** The finished model; `null` before it is evaluated. */
  readonly final: { readonly round: number; readonly metrics: Metrics } | null;
  readonly sites: readonly SiteSummary[];
  readonly privacy: RoundPrivacy | null;
  readonly seconds: number;
}

export interface SiteSummary {
  readonly name: string;
  /** Rounds by how the site ended them. */
  readonly ok: number;
  readonly failed: number;
  readonly late: number;
  readonly rejected: number;
  readonly steps: number;
  /** Of the last round that the site answered. */
  readonly metrics: Metrics;
}

export interface RoundMetricsOptions {
  readonly keyMetric: string;
  /** Whether a larger or a smaller key metric is better. @default 'max' */
  readonly keyMetricMode?: 'max' | 'min';
  /** What an earlier process of the run wrote: the files are made equal to it first. */
  readonly history?: readonly RoundEntry[];
}

export interface RoundMetrics {
  /**
   * Writes the line of a round and the summary so far. Both follow from the checkpoint, from which a continued run writes them
   * anew: they are not flushed before {@link RoundMetrics.flush}. @throws WorkspaceError.
   */
  add(entry: RoundEntry): Promise<void>;
  /** On disk when it resolves. @throws WorkspaceError. */
  flush(): Promise<void>;
}

/** Opens the metrics files of `folder`. @throws WorkspaceError. */
export async function openRoundMetrics(
  folder: string,
  { keyMetric, keyMetricMode = 'max', history = [] }: RoundMetricsOptions,
): Promise<RoundMetrics> {
  const file = join(folder, 'round_metrics.jsonl');
  const sum = metricsSum(keyMetric, keyMetricMode);
  for (const entry of history) sum.add(entry);
  await writeFileAtomic(file, history.map((entry) => `${toJson(entry)}\n`).join(''));
  await writeSummary(true);
  return {
    async add(entry) {
      sum.add(entry);
      await appendLine(file, toJson(entry));
      await writeSummary(false);
    },
    async flush() {
      await flushFile(file);
      await writeSummary(true);
    },
  };

  async function writeSummary(durable: boolean): Promise<void> {
    const summary = JSON.stringify(JSON.parse(toJson(sum.summary())), null, 2);
    await writeFileAtomic(join(folder, 'metrics_summary.json'), `${summary}\n`, { durable });
  }
}

/** The summary of the entries of a run, in order. */
export function summarise(
  entries: readonly RoundEntry[],
  keyMetric: string,
  mode: 'max' | 'min' = 'max',
): MetricsSummary {
  const sum = metricsSum(keyMetric, mode);
  for (const entry of entries) sum.add(entry);
  return sum.summary();
}

/** The summary of entries as they come. None of them is kept: a run may have thousands, of a thousand sites each. */
function metricsSum(keyMetric: string, mode: 'max' | 'min') {
  let total: Omit<MetricsSummary, 'sites'> = { ...nothing, keyMetric };
  /** In the order of their first appearance. */
  const sites = new Map<string, SiteSummary>();
  return { add, summary: (): MetricsSummary => ({ ...total, sites: [...sites.values()] }) };

  function add(entry: RoundEntry): void {
    const { round, metrics } = entry;
    total = {
      keyMetric,
      rounds: total.rounds + (entry.final ? 0 : 1),
      best: betterOf(total.best, entry, keyMetric, mode),
      final: total.final ?? (entry.final ? { round, metrics } : null),
      privacy: entry.privacy ?? total.privacy,
      seconds: total.seconds + entry.seconds,
    };
    for (const site of entry.sites) {
      const before = sites.get(site.name) ?? unseen(site.name);
      sites.set(site.name, entry.final ? before : withAnswer(before, site));
    }
  }
}

const nothing = { rounds: 0, best: null, final: null, privacy: null, seconds: 0 };

function betterOf(
  best: MetricsSummary['best'],
  { round, metrics }: RoundEntry,
  keyMetric: string,
  mode: 'max' | 'min',
): MetricsSummary['best'] {
  const value = metrics[keyMetric];
  if (typeof value !== 'number') return best;
  const improves = best === null || (mode === 'max' ? value > best.value : value < best.value);
  return improves ? { round, value, metrics } : best;
}

function unseen(name: string): SiteSummary {
  return { name, ok: 0, failed: 0, late: 0, rejected: 0, steps: 0, metrics: {} };
}

function withAnswer(before: SiteSummary, { status, steps = 0, metrics = before.metrics }: SiteEntry): SiteSummary {
  return { ...before, [status]: before[status] + 1, steps: before.steps + steps, metrics };
}
