/**
 * The Dice score per case and channel, its reductions over NaN, and the mean that the BraTS18 example reports.
 *
 * @module
 */
import { ShapeError } from '../../errors';

/** Scores of one case: a number in [0, 1] per channel, NaN where the score is not defined. */
export type ChannelScores = readonly number[];

export interface DiceOptions {
  /** A channel whose truth is empty scores NaN; otherwise 1 when the prediction is empty too, else 0. @default true */
  readonly ignoreEmpty?: boolean;
  /** A prediction counts as positive from here on: 0 for logits (probability 0.5), 0.5 for masks. @default 0.5 */
  readonly threshold?: number;
}

/**
 * Dice = 2·|P ∩ T| / (|P| + |T|) of each channel of a case.
 *
 * @param prediction [channels, voxels], positive from `threshold` on.
 * @param truth [channels, voxels] of 0 and 1.
 */
export function diceScores(
  prediction: ArrayLike<number>,
  truth: ArrayLike<number>,
  channels: number,
  { ignoreEmpty = true, threshold = 0.5 }: DiceOptions = {},
): number[] {
  if (prediction.length !== truth.length || prediction.length % channels !== 0) {
    throw new ShapeError(
      `Dice of ${channels} channels needs two masks of the same size, but got ${prediction.length} and ${truth.length} numbers.`,
    );
  }
  const voxels = prediction.length / channels;
  return Array.from({ length: channels }, (_, c) => {
    let predicted = 0;
    let actual = 0;
    let both = 0;
    for (let i = c * voxels; i < (c + 1) * voxels; i++) {
      const value = truth[i]!;
      actual += value;
      if (!(prediction[i]! >= threshold)) continue;
      predicted++;
      both += value;
    }
    return diceOfCount([both, predicted, actual], ignoreEmpty);
  });
}

/**
 * The Dice of each class from counts of voxels: predicted and true, predicted, true, three numbers a class, as the metric
 * `dice-counts` gives them.
 */
export function diceOfCounts(
  counts: ArrayLike<number>,
  { ignoreEmpty = true }: Pick<DiceOptions, 'ignoreEmpty'> = {},
): number[] {
  if (counts.length % 3 !== 0)
    throw new ShapeError(`Dice needs three counts a class, but got ${counts.length} numbers.`);
  return Array.from({ length: counts.length / 3 }, (_, i) =>
    diceOfCount([counts[3 * i]!, counts[3 * i + 1]!, counts[3 * i + 2]!], ignoreEmpty),
  );
}

function diceOfCount([both, predicted, actual]: readonly [number, number, number], ignoreEmpty: boolean): number {
  if (actual > 0) return (2 * both) / (predicted + actual);
  if (ignoreEmpty) return Number.NaN;
  return predicted === 0 ? 1 : 0;
}

/** The mean of the scores that are not NaN, and how many they are; NaN of 0 when there is none. */
export function pooledMean(scores: readonly number[]): { mean: number; count: number } {
  const defined = scores.filter((score) => !Number.isNaN(score));
  return { mean: sumOf(defined) / defined.length, count: defined.length };
}

/** The mean over all defined scores of all cases and channels, and what it is made of. */
export interface DiceSummary {
  /** Σ of all scores that are not NaN / their count; NaN when there is none. */
  readonly mean: number;
  readonly count: number;
  /** The same for each channel. */
  readonly channels: readonly { readonly mean: number; readonly count: number }[];
}

/** The validation number of the BraTS18 example: a micro-mean over (case, region) pairs, not a mean of means. */
export function summarizeDice(cases: readonly ChannelScores[]): DiceSummary {
  return { ...pooledMean(cases.flat()), channels: columnsOf(cases).map(pooledMean) };
}

/** Reductions that leave one number per channel or per case. */
export type VectorReduction = 'mean_batch' | 'sum_batch' | 'mean_channel' | 'sum_channel';

/** Reductions that leave one number. */
export type ScalarReduction = 'mean' | 'sum';

/**
 * Reduces [case][channel] scores, ignoring NaN; where nothing is defined the result is 0. `_batch` reduces over cases and leaves
 * one number per channel, `_channel` the reverse. `mean` takes the mean of each case first and then the mean over the cases that
 * have one.
 *
 * @returns the result and how many defined scores (for `mean`: cases) went into it.
 */
export function reduceScores(
  cases: readonly ChannelScores[],
  reduction: ScalarReduction,
): { value: number; counts: number };
export function reduceScores(
  cases: readonly ChannelScores[],
  reduction: VectorReduction,
): { value: number[]; counts: number[] };
export function reduceScores(
  cases: readonly ChannelScores[],
  reduction: ScalarReduction | VectorReduction,
): { value: number | number[]; counts: number | number[] } {
  switch (reduction) {
    case 'mean': {
      const perCase = reduceScores(cases, 'mean_channel');
      const defined = perCase.value.filter((_, i) => perCase.counts[i]! > 0);
      return { value: meanOf(defined), counts: defined.length };
    }
    case 'sum': {
      const defined = cases.flat().filter((score) => !Number.isNaN(score));
      return { value: sumOf(defined), counts: defined.length };
    }
    case 'mean_batch':
      return overVectors(columnsOf(cases), meanOf);
    case 'sum_batch':
      return overVectors(columnsOf(cases), sumOf);
    case 'mean_channel':
      return overVectors(cases, meanOf);
    case 'sum_channel':
      return overVectors(cases, sumOf);
  }
}

function overVectors(
  vectors: readonly ChannelScores[],
  reduce: (defined: readonly number[]) => number,
): { value: number[]; counts: number[] } {
  const defined = vectors.map((scores) => scores.filter((score) => !Number.isNaN(score)));
  return { value: defined.map(reduce), counts: defined.map((scores) => scores.length) };
}

function columnsOf(cases: readonly ChannelScores[]): number[][] {
  return (cases[0] ?? []).map((_, channel) => cases.map((scores) => scores[channel]!));
}

function sumOf(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

function meanOf(values: readonly number[]): number {
  return values.length === 0 ? 0 : sumOf(values) / values.length;
}
