/**
 * The discrete Laplace distribution on the integers, P(k) ∝ exp(-|k| / scale), drawn without the floating-point
 * Laplace's flaw: that one reaches only a porous set of doubles, which differs between inputs and gives them away
 * (Mironov, CCS 2012). Here the noise is an integer built from Bernoulli events, each drawn exactly for a probability
 * that is computed to a relative error of a few 2^-53; no logarithm of a uniform is taken.
 *
 * Not exact: those probabilities (irrational numbers as doubles), and events rarer than 1e-300, which never happen.
 *
 * @module
 */
import { type BernoulliTable, bernoulliTable, drawEvent, setProbability } from './bernoulli-table';
import type { RandomWords } from './random-words';

/** exp(-x) of a larger x is zero in a double. */
const UNDERFLOW = 745;

/**
 * One draw of any scale > 0, in about 10 + log2(scale) Bernoulli draws: the binary digits of a geometric variable are
 * independent, because q^m = Π q^(digit_i 2^i), with P(digit_i = 1) = 1 / (1 + q^(-2^i)) and q = exp(-1 / scale).
 *
 * @returns an integer; beyond 2^53 it is rounded to a double, a fixed function of the exact draw.
 */
export function discreteLaplace(scale: number, words: RandomWords): number {
  for (;;) {
    let magnitude = 0;
    for (let digit = 1; digit < UNDERFLOW * scale; digit *= 2) {
      if (words.bernoulli(1 / (1 + Math.exp(digit / scale)))) magnitude += digit;
    }
    const negative = words.next() >>> 31 === 1;
    // Zero has one sign only, or it would count twice.
    if (!negative) return magnitude;
    if (magnitude > 0) return -magnitude;
  }
}

/** Tables for many draws of one scale. Built once, read-only. */
export interface DiscreteLaplace {
  /** Draws of this magnitude or more are all returned as ±`limit`. */
  readonly limit: number;
  /** A power of two. Magnitude = low + block × high, with low < block drawn from `low` and high geometric. */
  readonly block: number;
  readonly low: BernoulliTable;
  /** One entry: P(high ≥ j + 1 given high ≥ j) = exp(-block / scale). */
  readonly more: BernoulliTable;
}

/**
 * @param scale of the noise, > 0, in units of the grid.
 * @param limit an integer ≥ 1: the caller does not tell magnitudes from here on apart. Tables take 12 bytes × 2 limit at most.
 */
export function discreteLaplaceTables(scale: number, limit: number): DiscreteLaplace {
  const block = 2 ** Math.ceil(Math.log2(Math.max(1, Math.min(scale, limit))));
  const low = bernoulliTable(block);
  for (let m = 0; m < block; m++) setProbability(low, m, Math.exp(-m / scale));
  const more = bernoulliTable(1);
  setProbability(more, 0, Math.exp(-block / scale));
  return { limit, block, low, more };
}

/** One draw, saturated at ±limit. Takes about four words (Canonne, Kamath and Steinke 2020, algorithm 2, with tables). */
export function drawDiscreteLaplace(tables: DiscreteLaplace, words: RandomWords): number {
  const { limit, block, low, more } = tables;
  for (;;) {
    const word = words.next();
    const candidate = word & (block - 1);
    if (!drawEvent(low, candidate, words)) continue;
    let magnitude = candidate;
    while (magnitude < limit && drawEvent(more, 0, words)) magnitude += block;
    if (word >>> 31 === 0) return Math.min(magnitude, limit);
    if (magnitude > 0) return -Math.min(magnitude, limit);
  }
}
