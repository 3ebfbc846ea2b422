import { describe, expect, it } from 'vitest';
import {
  chiSquare,
  chiSquareLimit,
  chiSquareTwoSamples,
  epsilonLowerBound,
  ksDistance,
  ksLimit,
  laplaceCdf,
  tally,
} from '../../test/support/statistics';
import { discreteLaplace, discreteLaplaceTables } from './discrete-laplace';
import { RandomWords } from './random-words';
import { seededTestNoise } from './seeded-test-noise';
import { type SparseVectorOptions, sparseVector } from './sparse-vector';

/** Options for `count` of the entries at budgets of ε1, ε2, ε3, with Δ = 1000 grid steps. */
function optionsFor(
  count: number,
  [threshold, query, value]: readonly [number, number, number],
  over: Partial<SparseVectorOptions> = {},
): SparseVectorOptions {
  const limit = 1000;
  return {
    limit,
    count,
    tau: 0,
    thresholdScale: limit / threshold,
    queryScale: (2 * count * limit) / query,
    release: discreteLaplaceTables((2 * count * limit) / value, 2 * limit),
    maxSweeps: 64,
    ...over,
  };
}

/** The paper's algorithm word by word: a random order per sweep, one noise per question, a stop at the c-th acceptance. */
function literally(values: readonly number[], options: SparseVectorOptions, words: RandomWords): Set<number> {
  const threshold = options.tau + discreteLaplace(options.thresholdScale, words);
  const accepted = new Set<number>();
  for (let sweep = 0; sweep < options.maxSweeps; sweep++) {
    const order = values.map((_, i) => i);
    for (let i = order.length - 1; i > 0; i--) {
      const j = words.below(i + 1);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    for (const i of order) {
      if (accepted.has(i)) continue;
      if (Math.abs(values[i]!) + laplace(options.queryScale, words) >= threshold) accepted.add(i);
      if (accepted.size === options.count) return accepted;
    }
  }
  return accepted;
}

function laplace(scale: number, words: RandomWords): number {
  const u = (words.next() + 0.5) / 2 ** 32 - 0.5;
  return -Math.sign(u) * scale * Math.log1p(-2 * Math.abs(u));
}

/** Which entries were selected: values are far apart from 0, so a released 0 is nearly as good as impossible. */
function selectedBy(released: Int32Array): string {
  return [...released.keys()].filter((i) => released[i] !== 0).join();
}

describe('sparseVector', () => {
  it.each([1, 7, 500, 999, 1000])('releases exactly %i of 1000 entries and nothing of the others', (count) => {
    const words = new RandomWords(seededTestNoise(1, count));
    const values = Int32Array.from({ length: 1000 }, (_, i) => ((i * 577) % 2001) - 1000);
    // Release noise so wide that a released 0 has a probability of 1e-9 in all.
    const options = optionsFor(count, [1, 1, 1], { release: discreteLaplaceTables(1e12, 2000) });
    const { released, selected } = sparseVector(values, options, words);
    expect(selected).toBe(count);
    expect(released.filter((n) => n !== 0).length).toBe(count);
  });

  it('never gives a number beyond the limit', () => {
    const words = new RandomWords(seededTestNoise(2));
    const { released } = sparseVector(new Int32Array(5000).fill(1000), optionsFor(5000, [1, 1, 5000]), words);
    expect(released.every((n) => Math.abs(n) <= 1000)).toBe(true);
    expect(released.some((n) => n === 1000) && released.some((n) => n === -1000)).toBe(true);
  });

  it('gives up after its sweeps when the threshold is out of reach', () => {
    const words = new RandomWords(seededTestNoise(3));
    const values = new Int32Array(1000);
    const { selected, sweeps } = sparseVector(values, optionsFor(10, [1, 10, 1], { tau: 1e9, maxSweeps: 5 }), words);
    expect([selected, sweeps]).toEqual([0, 5]);
  });

  it('selects as the paper does, over one sweep and over several', () => {
    const values = [0, 300, -600, 1000];
    for (const [name, count, tau] of [
      ['one sweep, most accepted', 2, -3000],
      ['several sweeps', 3, 1500],
      ['many sweeps', 1, 1700],
    ] as const) {
      const options = optionsFor(count, [4, 8, 1], { tau, release: discreteLaplaceTables(1e12, 2000) });
      const words = new RandomWords(seededTestNoise(4, name));
      const input = Int32Array.from(values);
      const fast = tally(20_000, () => selectedBy(sparseVector(input, options, words).released));
      const slow = tally(20_000, () => [...literally(values, options, words)].sort().join());
      const outcomes = [...new Set([...fast.keys(), ...slow.keys()])];
      const [a, b] = [fast, slow].map((counts) => outcomes.map((outcome) => counts.get(outcome) ?? 0));
      expect(outcomes.length).toBeGreaterThan(3);
      expect(chiSquareTwoSamples(a!, b!)).toBeLessThan(chiSquareLimit(outcomes.length - 1));
    }
  });

  it('selects equal entries equally often, wherever they stand', () => {
    const words = new RandomWords(seededTestNoise(5));
    const options = optionsFor(3, [1, 1, 1], { release: discreteLaplaceTables(1e12, 2000) });
    const counts = new Array<number>(8).fill(0);
    for (let run = 0; run < 20_000; run++) {
      const { released } = sparseVector(new Int32Array(8).fill(500), options, words);
      for (const [i, n] of released.entries()) if (n !== 0) counts[i]! += 1;
    }
    expect(chiSquare(counts, new Array<number>(8).fill((20_000 * 3) / 8))).toBeLessThan(chiSquareLimit(7));
  });

  it('accepts with the tail probability of the Laplace distribution', () => {
    const words = new RandomWords(seededTestNoise(6));
    // A threshold practically without noise and one sweep: the number accepted counts independent decisions.
    for (const [value, tau] of [
      [0, 2000],
      [800, 500],
      [-1000, 1000],
      [1000, -4000],
    ] as const) {
      const options = { ...optionsFor(1, [1e9, 1, 1], { tau, maxSweeps: 1 }), count: 100_000, queryScale: 1500 };
      const { selected } = sparseVector(new Int32Array(100_000).fill(value), options, words);
      const expected = 1 - laplaceCdf(tau - Math.abs(value), 1500);
      expect(Math.abs(selected / 1e5 - expected)).toBeLessThan(5 * Math.sqrt((expected * (1 - expected)) / 1e5));
    }
  });

  it('adds Laplace noise of the stated scale to what it releases, fresh for each entry', () => {
    const words = new RandomWords(seededTestNoise(7));
    const release = discreteLaplaceTables(40, 2000);
    const { released } = sparseVector(new Int32Array(20_000), { ...optionsFor(20_000, [1, 1, 1]), release }, words);
    const noise = [...released];
    // Spread each integer over its cell of the grid, as the distribution function is that of the continuous noise.
    const spread = noise.map((n) => n + words.next() / 2 ** 32 - 0.5);
    expect(ksDistance(spread, (x) => laplaceCdf(x, 40))).toBeLessThan(ksLimit(20_000));
    const lag = noise.slice(1).reduce((sum, n, i) => sum + n * noise[i]!, 0) / (noise.length * 2 * 40 ** 2);
    expect(Math.abs(lag)).toBeLessThan(5 / Math.sqrt(noise.length));
  });
});

/** Not released, at either limit (where clipping collects the tails), or between. */
function outcomeOf(n: number): string {
  return Math.abs(n) === 1000 ? String(n) : n === 0 ? 'none' : 'between';
}

/** Largest ε that `runs` runs on each of two inputs prove for the mechanism at these options. */
function audit(a: readonly number[], b: readonly number[], options: SparseVectorOptions, runs: number): number {
  const words = new RandomWords(seededTestNoise(8));
  const outcomes = [a, b].map((values) => {
    const input = Int32Array.from(values);
    return tally(runs, () => [...sparseVector(input, options, words).released].map(outcomeOf).join());
  });
  return epsilonLowerBound(outcomes[0]!, outcomes[1]!, runs);
}

describe('an audit of sparseVector by counting outcomes', () => {
  const opposite = [[1000], [-1000]] as const;
  const swapped = [
    [1000, 0],
    [0, 1000],
  ] as const;

  it('finds no more than the stated ε, and finds most of it where the bound is tight', () => {
    const tight = audit(...opposite, optionsFor(1, [0.05, 0.05, 2]), 20_000);
    expect(tight).toBeLessThan(2.1);
    expect(tight).toBeGreaterThan(1.5);
    expect(audit(...swapped, optionsFor(1, [0.5, 0.5, 0.5]), 20_000)).toBeLessThan(1.5);
    expect(audit(...swapped, optionsFor(2, [0.5, 0.5, 0.5]), 20_000)).toBeLessThan(1.5);
  });

  it('catches noise of half the scale', () => {
    const right = optionsFor(1, [0.05, 0.05, 2]);
    const halved = { ...right, release: discreteLaplaceTables(500, 2000) };
    expect(audit(...opposite, halved, 20_000)).toBeGreaterThan(2.1);
  });

  it('catches a release whose noise forgets how many entries are released', () => {
    const right = optionsFor(4, [0.05, 0.05, 1]);
    const forgetful = { ...right, release: discreteLaplaceTables(2000, 2000) };
    const [a, b] = [new Array<number>(4).fill(1000), new Array<number>(4).fill(-1000)];
    expect(audit(a, b, right, 20_000)).toBeLessThan(1.1);
    expect(audit(a, b, forgetful, 20_000)).toBeGreaterThan(1.1);
  });

  it('catches queries without noise', () => {
    const bare = { ...optionsFor(2, [0.5, 0.5, 0.5]), queryScale: 1e-3, maxSweeps: 1 };
    expect(audit(...swapped, bare, 20_000)).toBeGreaterThan(1.5);
  });
});
