/**
 * What a site adds up over its values, piece by piece: nothing is kept in memory but sums and counts.
 *
 * @module
 */
import { DataError } from '../errors';
import { type BinCounts, countInto, noCounts } from './bins';
import { ExactSum } from './exact-sum';
import { isFeatureName } from './feature-name';
import type { FeatureSource } from './feature-source';

/** Sums and extremes of one feature, for the first question. */
export interface Numbers {
  /** Values that are numbers. */
  count: number;
  /** Values that are missing. */
  failures: number;
  /** Cases behind the values. */
  cases: number;
  min: number;
  max: number;
  readonly sum: ExactSum;
}

/** What the second question asks of one feature, by the numbers of all sites. */
export interface SpreadQuestion {
  /** The mean over all sites, where squared deviations are wanted. */
  readonly mean?: number;
  /** Edges of the histogram. */
  readonly histogram?: Float64Array;
  /** Edges of the finer bins that quantiles are read from. */
  readonly quantiles?: Float64Array;
}

/** How the values of one feature spread. */
export interface Spread {
  count: number;
  cases: number;
  /** Σ (x − mean of all sites)². */
  readonly squares: ExactSum;
  readonly histogram?: BinCounts;
  readonly quantiles?: BinCounts;
}

/** Adds up every feature that is wanted. @throws DataError for a name that no feature may have. */
export async function sumNumbers(
  source: FeatureSource,
  wanted: (feature: string) => boolean,
  signal: AbortSignal,
): Promise<Map<string, Numbers>> {
  const all = new Map<string, Numbers>();
  for await (const { feature, values, cases } of source.features()) {
    signal.throwIfAborted();
    checkName(feature);
    if (!wanted(feature)) continue;
    const numbers = all.get(feature) ?? {
      count: 0,
      failures: 0,
      cases: 0,
      min: Number.POSITIVE_INFINITY,
      max: Number.NEGATIVE_INFINITY,
      sum: new ExactSum(),
    };
    all.set(feature, numbers);
    const before = numbers.count;
    addNumbers(numbers, values);
    numbers.cases += cases ?? numbers.count - before;
  }
  return all;
}

function addNumbers(numbers: Numbers, values: ArrayLike<number>): void {
  const { sum } = numbers;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) {
      numbers.failures += 1;
      continue;
    }
    numbers.count += 1;
    sum.add(value);
    if (value < numbers.min) numbers.min = value;
    if (value > numbers.max) numbers.max = value;
  }
}

/** Adds up how the features of the question spread. */
export async function sumSpread(
  source: FeatureSource,
  question: ReadonlyMap<string, SpreadQuestion>,
  signal: AbortSignal,
): Promise<Map<string, Spread>> {
  const all = new Map<string, Spread>();
  for await (const { feature, values, cases } of source.features()) {
    signal.throwIfAborted();
    const asked = question.get(feature);
    if (!asked) continue;
    const spread = all.get(feature) ?? {
      count: 0,
      cases: 0,
      squares: new ExactSum(),
      ...(asked.histogram && { histogram: noCounts(asked.histogram) }),
      ...(asked.quantiles && { quantiles: noCounts(asked.quantiles) }),
    };
    all.set(feature, spread);
    const before = spread.count;
    addSpread(spread, asked, values);
    spread.cases += cases ?? spread.count - before;
  }
  return all;
}

function addSpread(spread: Spread, { mean, histogram, quantiles }: SpreadQuestion, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    spread.count += 1;
    if (mean !== undefined) spread.squares.add((value - mean) * (value - mean));
    if (histogram && spread.histogram) countInto(spread.histogram, histogram, value);
    if (quantiles && spread.quantiles) countInto(spread.quantiles, quantiles, value);
  }
}

function checkName(feature: unknown): void {
  if (isFeatureName(feature)) return;
  throw new DataError(
    'A feature of the site has no usable name: 1 to 200 characters, none of them a control character.',
    {
      hint: 'Rename the column, or the feature in your own source.',
    },
  );
}
