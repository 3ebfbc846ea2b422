import { describe, expect, it } from 'vitest';
import { chiSquare, chiSquareLimit, ksDistance, ksLimit, laplaceCdf } from '../../test/support/statistics';
import type { BernoulliTable } from './bernoulli-table';
import { type DiscreteLaplace, discreteLaplace, discreteLaplaceTables, drawDiscreteLaplace } from './discrete-laplace';
import { RandomWords } from './random-words';
import { seededTestNoise } from './seeded-test-noise';

const probability = (k: number, scale: number): number => Math.tanh(1 / (2 * scale)) * Math.exp(-Math.abs(k) / scale);

/** χ² of draws against the exact distribution, all magnitudes from `most` on in two cells. */
function misfit(scale: number, most: number, draws: number, draw: () => number): number {
  const counts = new Array<number>(2 * most + 1).fill(0);
  for (let i = 0; i < draws; i++) counts[Math.min(Math.max(draw(), -most), most) + most]! += 1;
  const tail = Math.exp(-most / scale) / (1 + Math.exp(-1 / scale));
  const expected = counts.map((_, i) => draws * (i === 0 || i === 2 * most ? tail : probability(i - most, scale)));
  return chiSquare(counts, expected) / chiSquareLimit(2 * most);
}

/** The distribution that the tables encode, without drawing from it: P(|k| = m) before the sign. */
function encoded({ low, block, more }: DiscreteLaplace, m: number): number {
  const entry = (table: BernoulliTable, i: number): number => (table.high[i]! + table.rest[i]!) / 2 ** 32;
  let sum = 0;
  for (let i = 0; i < block; i++) sum += entry(low, i);
  return (entry(low, m % block) / sum) * entry(more, 0) ** Math.floor(m / block) * (1 - entry(more, 0));
}

const scales = [
  [1 / 3, 3],
  [1, 8],
  [2, 14],
  [17.5, 90],
] as const;

describe('the discrete Laplace distribution', () => {
  it('has the published probabilities', () => {
    const published = [0.4621171573, 0.1700034016, 0.0625407564];
    for (const [k, p] of published.entries()) expect(probability(k, 1)).toBeCloseTo(p, 10);
    expect(probability(0, 2)).toBeCloseTo(0.2449186624, 10);
  });

  it.each(scales)('is met by single draws of scale %f', (scale, most) => {
    const words = new RandomWords(seededTestNoise(1, scale));
    expect(misfit(scale, most, 100_000, () => discreteLaplace(scale, words))).toBeLessThan(1);
  });

  it.each(scales)('is met by draws from tables of scale %f', (scale, most) => {
    const words = new RandomWords(seededTestNoise(2, scale));
    const tables = discreteLaplaceTables(scale, 1000);
    expect(misfit(scale, most, 200_000, () => drawDiscreteLaplace(tables, words))).toBeLessThan(1);
  });

  it('is not met by noise of half the scale, or with zero counted twice', () => {
    const words = new RandomWords(seededTestNoise(3));
    expect(misfit(2, 14, 100_000, () => discreteLaplace(1, words))).toBeGreaterThan(1);
    const doubled = (): number =>
      discreteLaplace(2, words) * (words.next() & 1 ? 1 : -1) || (words.bernoulli(0.5) ? 0 : 1);
    expect(misfit(2, 14, 100_000, doubled)).toBeGreaterThan(1);
  });

  it('is near the continuous one at the scales of the threshold, up to those beyond 2^53', () => {
    for (const scale of [2048, 2e10, 1e17]) {
      const words = new RandomWords(seededTestNoise(4, scale));
      const sample = Array.from({ length: 5000 }, () => discreteLaplace(scale, words));
      expect(ksDistance(sample, (x) => laplaceCdf(x, scale))).toBeLessThan(ksLimit(5000) + 1 / scale);
    }
  });

  it('is what the tables encode, to 13 digits, over the whole range that is told apart', () => {
    for (const [scale, limit] of [
      [0.01, 4],
      [1, 64],
      [2048.3, 4096],
      [100, 4096],
    ] as const) {
      const tables = discreteLaplaceTables(scale, limit);
      const first = encoded(tables, 0);
      for (let m = 0; m < limit; m += Math.ceil(limit / 60)) {
        expect(encoded(tables, m) / first / Math.exp(-m / scale)).toBeCloseTo(1, 12);
      }
    }
  });

  it('is saturated at the limit, whichever part of the tables the limit falls into', () => {
    for (const [scale, limit] of [
      [100, 3],
      [2, 5],
      [1e9, 2048],
    ] as const) {
      const words = new RandomWords(seededTestNoise(5, limit));
      const tables = discreteLaplaceTables(scale, limit);
      const expected = Math.exp(-limit / scale) / (1 + Math.exp(-1 / scale));
      const draws = Array.from({ length: 20_000 }, () => drawDiscreteLaplace(tables, words));
      const at = draws.filter((k) => k === limit).length;
      expect(Math.max(...draws.map(Math.abs))).toBe(limit);
      expect(Math.abs(at / 20_000 - expected)).toBeLessThan(5 * Math.sqrt(expected / 20_000));
    }
  });
});
