/**
 * Several runs side by side: how good each finished model is, at which site, and how steadily it came there.
 *
 * @module
 */
import { ConfigError } from '../errors';
import type { Metrics } from '../protocol/payload';
import { type RoundEntry, summarise } from './round-metrics';

/** A run as it is compared. */
export interface ComparedRun {
  readonly name: string;
  readonly outcome: string;
  readonly keyMetric: string;
  readonly keyMetricMode: 'max' | 'min';
  readonly synthetic: boolean;
  readonly entries: readonly RoundEntry[];
}

/** What came out of a run. */
export interface RunScores {
  readonly name: string;
  readonly outcome: string;
  readonly rounds: number;
  /** Key metric by round: of the model that each round started from, and last of the finished one; null where nobody said. */
  readonly curve: readonly (readonly [round: number, value: number | null])[];
  readonly best: { readonly round: number; readonly value: number } | null;
  /** Of the finished model, or of the last one that was scored: means over the sites. */
  readonly metrics: Metrics;
  readonly bySite: readonly { readonly site: string; readonly metrics: Metrics }[];
  readonly wobble: number | null;
  readonly seconds: number;
}

export interface Comparison {
  readonly keyMetric: string;
  readonly keyMetricMode: 'max' | 'min';
  /** All sites of all runs, in order of appearance. */
  readonly sites: readonly string[];
  /** Scores that all runs have, the key metric first. */
  readonly metrics: readonly string[];
  readonly synthetic: boolean;
  /** The best finished model first; runs without a score last. */
  readonly runs: readonly RunScores[];
}

/** @throws ConfigError for no run at all, and for runs that are chosen by different metrics. */
export function compareRuns(runs: readonly ComparedRun[]): Comparison {
  const [first] = runs;
  if (!first) throw new ConfigError('There is no run to compare.', { hint: 'Give the folders of two runs or more.' });
  const { keyMetric, keyMetricMode } = first;
  for (const run of runs) {
    if (run.keyMetric === keyMetric && run.keyMetricMode === keyMetricMode) continue;
    throw new ConfigError(
      `'${first.name}' is judged by the ${keyMetricMode} of ${keyMetric}, '${run.name}' by the ${run.keyMetricMode} of ${run.keyMetric}.`,
      { hint: 'Compare runs with the same key metric.' },
    );
  }
  const scores = runs.map(scoresOf);
  const sign = keyMetricMode === 'max' ? -1 : 1;
  const rank = ({ metrics }: RunScores) => sign * (metrics[keyMetric] ?? sign * Number.POSITIVE_INFINITY);
  return {
    keyMetric,
    keyMetricMode,
    sites: [...new Set(scores.flatMap(({ bySite }) => bySite.map(({ site }) => site)))],
    metrics: sharedMetrics(keyMetric, scores),
    synthetic: runs.some(({ synthetic }) => synthetic),
    runs: scores.toSorted((a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0)),
  };
}

/**
 * How unsteady a curve is: the standard deviation of its changes from point to point over its second half, when what remains
 * is not learning any more. `null` with fewer than two changes.
 */
export function wobbleOf(values: readonly number[]): number | null {
  const late = values.slice(Math.floor(values.length / 2));
  const changes = late.slice(1).map((value, i) => value - late[i]!);
  if (changes.length < 2) return null;
  const mean = changes.reduce((sum, change) => sum + change, 0) / changes.length;
  return Math.sqrt(changes.reduce((sum, change) => sum + (change - mean) ** 2, 0) / changes.length);
}

function scoresOf({ name, outcome, keyMetric, keyMetricMode, entries }: ComparedRun): RunScores {
  const { best, final, rounds, seconds } = summarise(entries, keyMetric, keyMetricMode);
  const curve = entries.map(({ round, metrics }) => [round, metrics[keyMetric] ?? null] as const);
  const scored = entries.findLast(({ metrics }) => typeof metrics[keyMetric] === 'number');
  return {
    name,
    outcome,
    rounds,
    curve,
    best: best && { round: best.round, value: best.value },
    metrics: final?.metrics ?? scored?.metrics ?? {},
    bySite: (scored?.sites ?? []).flatMap(({ name: site, metrics }) => (metrics ? [{ site, metrics }] : [])),
    wobble: wobbleOf(curve.flatMap(([, value]) => (value === null ? [] : [value]))),
    seconds,
  };
}

/** The key metric, then the other scores of a model that every run has. */
function sharedMetrics(keyMetric: string, runs: readonly RunScores[]): string[] {
  const [first, ...others] = runs.filter(({ metrics }) => Object.keys(metrics).length > 0);
  const names = Object.keys(first?.metrics ?? {}).filter(
    (name) => name.startsWith('val_') && others.every(({ metrics }) => name in metrics),
  );
  return [keyMetric, ...names.filter((name) => name !== keyMetric)];
}
