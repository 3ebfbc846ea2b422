/**
 * What a site answers to the questions: cleansed before it becomes a payload. And how the server reads it.
 *
 * @module
 */
import type { RandomWords } from '../privacy/random-words';
import type { NamedTensors } from '../tensor/tensor';
import type { Numbers, Spread } from './accumulate';
import { type Cleansers, drawShare, mostBins, noisedMax, noisedMin } from './cleansers';
import type { NumbersQuestion } from './questions';
import { fromTensors, toTensors } from './wire';

/** An answer, and for the site's own log what was held back and why. */
export interface Answer {
  readonly tensors: NamedTensors;
  readonly withheld: readonly string[];
}

/** Cleanses the answer to the first question. */
export function answerNumbers(
  all: ReadonlyMap<string, Numbers>,
  { give }: NumbersQuestion,
  cleansers: Cleansers,
  words: RandomWords,
): Answer {
  const features = new Map<string, Record<string, Float64Array>>();
  const withheld: string[] = [];
  for (const [feature, { count, failures, cases, sum, min, max }] of all) {
    if (tooFew(cases, count, cleansers)) {
      withheld.push(`nothing of '${feature}' leaves: ${cases} cases, and minCount is ${cleansers.minCount}`);
      continue;
    }
    const low = noisedMin(min, drawShare(cleansers, words));
    const high = noisedMax(max, drawShare(cleansers, words));
    features.set(feature, {
      count: Float64Array.of(count),
      ...(give.includes('failures') && { failures: Float64Array.of(failures) }),
      ...(give.includes('sum') && { sum: sum.parts() }),
      ...(give.includes('range') && { range: Float64Array.of(low, high) }),
      ...(give.includes('most-bins') && { 'most-bins': Float64Array.of(mostBins(count, cleansers)) }),
    });
  }
  return { tensors: toTensors(features), withheld };
}

/** Cleanses the answer to the second question. */
export function answerSpread(all: ReadonlyMap<string, Spread>, cleansers: Cleansers): Answer {
  const features = new Map<string, Record<string, Float64Array>>();
  const withheld: string[] = [];
  for (const [feature, { count, cases, squares, histogram, quantiles }] of all) {
    if (tooFew(cases, count, cleansers)) continue;
    const most = mostBins(count, cleansers);
    const allowed = (counts: Float64Array | undefined, what: string) => {
      if (!counts || counts.length - 2 <= most) return counts;
      withheld.push(
        `the ${what} of '${feature}' do not leave: ${counts.length - 2} bins for ${count} values, and maxBinsPercent is ${cleansers.maxBinsPercent}`,
      );
      return undefined;
    };
    const bins = allowed(histogram, 'bins of the histogram');
    const fine = allowed(quantiles, 'bins of the quantiles');
    features.set(feature, {
      count: Float64Array.of(count),
      squares: squares.parts(),
      ...(bins && { histogram: bins }),
      ...(fine && { quantiles: fine }),
    });
  }
  return { tensors: toTensors(features), withheld };
}

function tooFew(cases: number, count: number, { minCount }: Cleansers): boolean {
  return count === 0 || cases < minCount;
}

/** What a site gave of one feature, as the server reads it. */
export interface GivenNumbers {
  readonly count: number;
  readonly failures?: number;
  /** Doubles whose exact sum is the sum of the values. */
  readonly sum?: Float64Array;
  /** With noise. */
  readonly range?: readonly [number, number];
  readonly mostBins?: number;
}

export interface GivenSpread {
  readonly count: number;
  readonly squares: Float64Array;
  readonly histogram?: Float64Array;
  readonly quantiles?: Float64Array;
}

/** @returns what is wrong, as a text, when the tensors are no answer to the first question. */
export function readNumbers(tensors: NamedTensors): ReadonlyMap<string, GivenNumbers> | string {
  const features = fromTensors(tensors, ['count', 'failures', 'sum', 'range', 'most-bins']);
  if (typeof features === 'string') return features;
  const given = new Map<string, GivenNumbers>();
  for (const [feature, { count, failures, sum, range, 'most-bins': most }] of features) {
    for (const number of [count ?? Float64Array.of(0), failures, most]) {
      if (number && !areCounts(number, 1)) return `a count of '${feature}' is no whole number`;
    }
    if (!count || count[0]! < 1) return `'${feature}' has no count`;
    if (range && (range.length !== 2 || range[0]! > range[1]!)) return `the range of '${feature}' is none`;
    given.set(feature, {
      count: count[0]!,
      ...(failures && { failures: failures[0]! }),
      ...(sum && { sum }),
      ...(range && { range: [range[0]!, range[1]!] as const }),
      ...(most && { mostBins: most[0]! }),
    });
  }
  return given;
}

/** @returns what is wrong, as a text, when the tensors are no answer to the second question. */
export function readSpread(tensors: NamedTensors): ReadonlyMap<string, GivenSpread> | string {
  const features = fromTensors(tensors, ['count', 'squares', 'histogram', 'quantiles']);
  if (typeof features === 'string') return features;
  const given = new Map<string, GivenSpread>();
  for (const [feature, { count, squares, histogram, quantiles }] of features) {
    if (!count || !squares || !areCounts(count, 1)) return `'${feature}' has no count or no squares`;
    for (const counts of [histogram, quantiles]) {
      if (!counts) continue;
      if (!areCounts(counts, counts.length)) return `a bin of '${feature}' holds no whole number`;
      const total = counts.reduce((sum, one) => sum + one, 0);
      if (total !== count[0]) return `the bins of '${feature}' hold ${total} values, not ${count[0]}`;
    }
    given.set(feature, {
      count: count[0]!,
      squares,
      ...(histogram && { histogram }),
      ...(quantiles && { quantiles }),
    });
  }
  return given;
}

function areCounts(numbers: Float64Array, length: number): boolean {
  return numbers.length === length && numbers.every((number) => Number.isSafeInteger(number) && number >= 0);
}
