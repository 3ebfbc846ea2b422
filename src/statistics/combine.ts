/**
 * From what the sites gave to the statistics of each and of all: exact sums of exact sums, and bins added up.
 *
 * @module
 */
import type { SpreadQuestion } from './accumulate';
import type { GivenNumbers, GivenSpread } from './answers';
import { binnedQuantile, evenEdges } from './bins';
import { cleanserNotice } from './cleansers';
import { ExactSum } from './exact-sum';
import type { FeatureResult, FeatureStatistics, FederatedStatistics, Histogram, Quantiles } from './result';
import type { StatisticName } from './statistic-name';

export interface StatisticsWanted {
  readonly statistics: readonly StatisticName[];
  /** These features only; all that a site gives when absent. */
  readonly features?: readonly string[] | undefined;
  readonly bins: number;
  /** Ranges of the bins by feature; the range of all values, with noise, for the others. */
  readonly ranges: Readonly<Record<string, readonly [number, number]>>;
  /** Probabilities of the quantiles, in (0, 1). */
  readonly quantiles: readonly number[];
}

/** By site, then by feature. */
export type BySite<T> = ReadonlyMap<string, ReadonlyMap<string, T>>;

/** Bins that quantiles are read from, at most: the range to a thousandth. */
const finestBins = 1000;

/** The second question; empty when nothing that was asked for needs one. */
export function spreadQuestion(given: BySite<GivenNumbers>, wanted: StatisticsWanted): Map<string, SpreadQuestion> {
  const questions = new Map<string, SpreadQuestion>();
  const asks = (name: StatisticName) => wanted.statistics.includes(name);
  if (!asks('stddev') && !asks('histogram') && !asks('quantiles')) return questions;
  for (const feature of namesOf(given)) {
    const ofSites = [...given.values()].flatMap((features) => features.get(feature) ?? []);
    const range = Object.hasOwn(wanted.ranges, feature) ? wanted.ranges[feature] : rangeOf(ofSites);
    const fine = Math.min(finestBins, ...ofSites.map(({ mostBins = 0 }) => mostBins));
    questions.set(feature, {
      ...(asks('stddev') && { mean: meanOf(ofSites) }),
      ...(asks('histogram') && range && { histogram: evenEdges(range, wanted.bins) }),
      ...(asks('quantiles') && range && fine > 0 && { quantiles: evenEdges(range, fine) }),
    });
  }
  return questions;
}

/** All features that a site gave, in alphabetical order. */
function namesOf(given: BySite<GivenNumbers>): string[] {
  return [...new Set([...given.values()].flatMap((features) => [...features.keys()]))].sort();
}

function rangeOf(given: readonly GivenNumbers[]): readonly [number, number] | undefined {
  const ranges = given.flatMap(({ range }) => (range ? [range] : []));
  if (ranges.length === 0) return undefined;
  return [Math.min(...ranges.map(([low]) => low)), Math.max(...ranges.map(([, high]) => high))];
}

function sumOf(given: readonly GivenNumbers[]): number {
  return new ExactSum(given.flatMap(({ sum = [] }) => [...sum])).value();
}

function countOf(given: readonly { readonly count: number }[]): number {
  return given.reduce((total, { count }) => total + count, 0);
}

function meanOf(given: readonly GivenNumbers[]): number {
  return sumOf(given) / countOf(given);
}

/**
 * The statistics of each site and of all.
 *
 * @param given answers to the first question.
 * @param questions the second question, as it was asked.
 * @param spreads answers to it. A site without one has no part in the result, when there was a question.
 * @param sites all sites, for the places of those that gave nothing.
 */
export function combine(
  given: BySite<GivenNumbers>,
  questions: ReadonlyMap<string, SpreadQuestion>,
  spreads: BySite<GivenSpread>,
  sites: readonly string[],
  wanted: StatisticsWanted,
): FederatedStatistics {
  const counted = questions.size === 0 ? given : new Map([...given].filter(([site]) => spreads.has(site)));
  const features: Record<string, FeatureResult> = {};
  for (const feature of [...new Set([...(wanted.features ?? []), ...namesOf(counted)])].sort()) {
    const bySite = sites.map((site): [string, Part | undefined] => {
      const numbers = counted.get(site)?.get(feature);
      return [site, numbers && { numbers, spread: spreads.get(site)?.get(feature) }];
    });
    const question = questions.get(feature) ?? {};
    const parts = bySite.flatMap(([, part]) => (part ? [part] : []));
    const statistics = (of: readonly Part[]) => (of.length === 0 ? null : statisticsOf(of, question, wanted));
    features[feature] = {
      global: statistics(parts),
      sites: Object.fromEntries(bySite.map(([site, part]) => [site, statistics(part ? [part] : [])])),
    };
  }
  return { notice: cleanserNotice, features };
}

/** What one site gave of one feature. */
interface Part {
  readonly numbers: GivenNumbers;
  readonly spread: GivenSpread | undefined;
}

function statisticsOf(
  parts: readonly Part[],
  question: SpreadQuestion,
  { statistics, quantiles }: StatisticsWanted,
): FeatureStatistics {
  const asks = (name: StatisticName) => statistics.includes(name);
  const numbers = parts.map((part) => part.numbers);
  const range = rangeOf(numbers);
  const failures = numbers.reduce((total, one) => total + (one.failures ?? 0), 0);
  return {
    count: countOf(numbers),
    ...(asks('failure-count') && { failureCount: failures }),
    ...(asks('sum') && { sum: sumOf(numbers) }),
    ...(asks('mean') && { mean: meanOf(numbers) }),
    ...(asks('stddev') && { stddev: stddevOf(parts, question) }),
    ...(asks('min') && range && { min: range[0] }),
    ...(asks('max') && range && { max: range[1] }),
    ...(asks('histogram') && { histogram: histogramOf(parts, question) }),
    ...(asks('quantiles') && { quantiles: quantilesOf(parts, question, quantiles) }),
  };
}

/** From squared deviations about any point c: Σ(x − m)² = Σ(x − c)² − n(m − c)². */
function stddevOf(parts: readonly Part[], { mean }: SpreadQuestion): number | null {
  const numbers = parts.map((part) => part.numbers);
  const count = countOf(numbers);
  if (mean === undefined || count < 2) return null;
  const squares = new ExactSum(parts.flatMap(({ spread }) => [...(spread?.squares ?? [])])).value();
  const away = meanOf(numbers) - mean;
  return Math.sqrt(Math.max(0, squares - count * away * away) / (count - 1));
}

/** Bins added up over the sites that gave them. */
function added(parts: readonly Part[], what: 'histogram' | 'quantiles', edges: Float64Array): Float64Array | undefined {
  const given = parts.flatMap(({ spread }) => spread?.[what] ?? []).filter(({ length }) => length === edges.length + 1);
  if (given.length === 0) return undefined;
  const total = new Float64Array(edges.length + 1);
  for (const counts of given) for (let i = 0; i < total.length; i++) total[i]! += counts[i]!;
  return total;
}

function histogramOf(parts: readonly Part[], { histogram: edges }: SpreadQuestion): Histogram | null {
  const counts = edges && added(parts, 'histogram', edges);
  if (!edges || !counts) return null;
  return { edges: [...edges], counts: [...counts.subarray(1, -1)], below: counts[0]!, above: counts.at(-1)! };
}

function quantilesOf(
  parts: readonly Part[],
  { quantiles: edges }: SpreadQuestion,
  probabilities: readonly number[],
): Quantiles | null {
  const counts = edges && added(parts, 'quantiles', edges);
  if (!edges || !counts) return null;
  return {
    values: Object.fromEntries(probabilities.map((p) => [String(p), binnedQuantile(edges, counts, p)])),
    within: (edges.at(-1)! - edges[0]!) / (edges.length - 1),
  };
}
