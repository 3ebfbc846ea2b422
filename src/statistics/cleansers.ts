/**
 * What a site holds back or blurs before a statistic leaves it. The rules and their defaults are those of NVFlare's
 * cleansers.
 *
 * **None of it is differential privacy.** The rules keep single persons from showing in one answer; they bound nothing about
 * many answers, and say nothing about what a sum gives away to somebody who knows all the other values.
 *
 * @module
 */
import type { RandomWords } from '../privacy/random-words';

export interface Cleansers {
  /** A site with fewer cases of a feature gives nothing of it, the count included. */
  readonly minCount: number;
  /** The least and the largest change of a minimum or a maximum, as a share of its size. */
  readonly minNoiseLevel: number;
  readonly maxNoiseLevel: number;
  /** Most bins of a histogram, in percent of the count. */
  readonly maxBinsPercent: number;
}

/** What people are told beside every number that passed the cleansers. */
export const cleanserNotice =
  'Not differentially private: sites with few cases gave nothing, minima and maxima carry noise, and bins are limited, but nothing bounds what the numbers tell together.';

/** Stands in for a minimum or a maximum of 0, which a share of itself would not change. */
const almostZero = 1e-5;

/** A minimum moved down, so that the range still holds every value. */
export function noisedMin(min: number, share: number): number {
  if (min === 0) return -(1 - share) * almostZero;
  return min > 0 ? min * (1 - share) : min * (1 + share);
}

/** A maximum moved up, so that the range still holds every value. */
export function noisedMax(max: number, share: number): number {
  if (max === 0) return (1 + share) * almostZero;
  return max > 0 ? max * (1 + share) : max * (1 - share);
}

/** A share between the two levels, uniform to 32 bits. */
export function drawShare({ minNoiseLevel, maxNoiseLevel }: Cleansers, words: RandomWords): number {
  return minNoiseLevel + (maxNoiseLevel - minNoiseLevel) * ((words.next() + 0.5) / 0x1_0000_0000);
}

/** The most bins that a site gives for so many values. */
export function mostBins(count: number, { maxBinsPercent }: Pick<Cleansers, 'maxBinsPercent'>): number {
  return Math.floor((count * maxBinsPercent) / 100);
}
