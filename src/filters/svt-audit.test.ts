/**
 * An audit of the filter as a black box, in the manner of DP-Sniper and StatDP: run it many times on two neighbouring
 * updates, count outcomes, and compute how large ε must be at least. The filter must stay below the cost it books; known
 * wrong mechanisms must be caught by the very same count. All noise is seeded: the verdicts repeat.
 */
import { describe, expect, it } from 'vitest';
import { numbersOf, testContext, weightDiff } from '../../test/support/filter-context';
import { epsilonLowerBound, tally } from '../../test/support/statistics';
import { RandomWords } from '../privacy/random-words';
import { seededTestNoise } from '../privacy/seeded-test-noise';
import type { Filter } from './filter';
import { svt } from './svt';
import { svtNvflare } from './svt-nvflare';

const RUNS = 20_000;
const GAMMA = 0.5;

/** Outcomes of the filter on one update: each number exactly 0, at either bound, or between, by sign. */
async function outcomes(filter: Filter, update: readonly number[], runs: number): Promise<Map<string, number>> {
  const context = testContext({ noise: seededTestNoise(11, ...update) });
  const payload = weightDiff([update]);
  const counts = new Map<string, number>();
  for (let i = 0; i < runs; i++) {
    const sent = await filter.apply(payload, context);
    const outcome = numbersOf(sent).map(labelOf).join();
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  }
  return counts;
}

function labelOf(x: number): string {
  if (x === 0) return 'none';
  return `${x < 0 ? '-' : '+'}${Math.abs(x) > 0.499 ? 'bound' : 'between'}`;
}

async function audit(filter: Filter, a: readonly number[], b: readonly number[], runs = RUNS): Promise<number> {
  return epsilonLowerBound(await outcomes(filter, a, runs), await outcomes(filter, b, runs), runs);
}

describe('an audit of the svt filter', () => {
  it('finds no more than ε = 1 on one number at epsilon 0.1 and noiseVar 0.9, but most of it', async () => {
    const filter = svt({ fraction: 1, epsilon: 0.1, noiseVar: 0.9, gamma: GAMMA });
    for (const [a, b] of [
      [GAMMA, -GAMMA],
      [1e6, -1e6],
    ] as const) {
      const bound = await audit(filter, [a], [b]);
      expect(bound).toBeLessThan(1);
      expect(bound).toBeGreaterThan(0.7);
    }
  });

  it.each([
    ['the large number changes its place', 0.5, [GAMMA, 0], [0, GAMMA]],
    ['a number appears', 0.5, [0, 0], [0, GAMMA]],
    ['both numbers are replaced', 1, [GAMMA, 0], [-GAMMA, -GAMMA]],
  ])('finds no more than the cost when %s', async (_, fraction, a, b) => {
    const filter = svt({ fraction, epsilon: 0.5, noiseVar: 0.5, gamma: GAMMA });
    const cost = 0.5 + 0.5 * 2 * fraction;
    expect(await audit(filter, a, b)).toBeLessThan(cost);
  });

  it('catches noise that is added before clipping: 2.7 bounds nothing', async () => {
    const filter = svtNvflare({ fraction: 1, epsilon: 0.1, noiseVar: 0.9, gamma: GAMMA });
    expect(await audit(filter, [1e3], [-1e3], 2000)).toBeGreaterThan(4);
  });
});

interface Variant {
  readonly c: number;
  /** Scales of threshold and query noise for Δ = 1; 0: no noise. */
  readonly rho: number;
  readonly nu: number;
  /** What is published of an accepted query with its noise. */
  readonly answer: (noisy: number) => string;
}

const bit = (): string => 'T';

/** The sparse vector technique of the literature on queries of sensitivity 1, right or wrong by its parameters. */
function textbook(queries: readonly number[], { c, rho, nu, answer }: Variant, words: RandomWords): string {
  const threshold = laplace(rho, words);
  let output = '';
  let found = 0;
  for (const query of queries) {
    const noisy = query + laplace(nu, words);
    output += noisy >= threshold ? answer(noisy) : 'F';
    if (noisy >= threshold && ++found === c) break;
  }
  return output;
}

function laplace(scale: number, words: RandomWords): number {
  const u = (words.next() + 0.5) / 2 ** 32 - 0.5;
  return -Math.sign(u) * scale * Math.log1p(-2 * Math.abs(u));
}

function auditVariant(variant: Variant, a: readonly number[], b: readonly number[]): number {
  const words = new RandomWords(seededTestNoise(12, variant.c, variant.nu));
  const [p, q] = [a, b].map((queries) => tally(50_000, () => textbook(queries, variant, words)));
  return epsilonLowerBound(p!, q!, 50_000);
}

/** m zeros and then n ones, and the same with zeros and ones exchanged: neighbours when each query may move by 1. */
function exchanged(m: number, n: number): readonly [number[], number[]] {
  const pattern = (first: number, second: number): number[] => [
    ...new Array<number>(m).fill(first),
    ...new Array<number>(n).fill(second),
  ];
  return [pattern(0, 1), pattern(1, 0)];
}

describe('the same audit on the mechanisms of Lyu, Su and Li 2017, each claiming ε1 + ε2', () => {
  const none = Number.POSITIVE_INFINITY;

  it('passes algorithm 1', () => {
    for (const [m, n] of [
      [4, 1],
      [3, 3],
      [1, 1],
    ] as const) {
      expect(auditVariant({ c: 1, rho: 1, nu: 2, answer: bit }, ...exchanged(m, n))).toBeLessThan(2);
    }
  });

  it('catches algorithm 3, which publishes the noise of the comparison', () => {
    const answer = (noisy: number): string => (noisy < 0.5 ? 'low' : 'high');
    expect(auditVariant({ c: 1, rho: 1, nu: 1, answer }, ...exchanged(4, 1))).toBeGreaterThan(2);
  });

  it('catches algorithm 5, which adds no noise to the queries', () => {
    expect(auditVariant({ c: none, rho: 1, nu: 0, answer: bit }, ...exchanged(1, 1))).toBeGreaterThan(4);
  });

  it('catches algorithm 6, which never stops', () => {
    expect(auditVariant({ c: none, rho: 2, nu: 2, answer: bit }, ...exchanged(3, 3))).toBeGreaterThan(1);
  });
});
