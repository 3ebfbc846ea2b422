/**
 * Statistics for tests of random mechanisms. Every bound is chosen so that a right mechanism fails a test with
 * probability at most 1e-6; most tests are seeded besides, and then repeat exactly.
 *
 * @module
 */

/** Upper limit of a χ² statistic with `degrees` degrees of freedom, exceeded with probability 1e-6 (Wilson and Hilferty). */
export function chiSquareLimit(degrees: number): number {
  const z = 4.753424;
  const k = 2 / (9 * degrees);
  return degrees * (1 - k + z * Math.sqrt(k)) ** 3;
}

/** Σ (observed - expected)² / expected. Cells should expect at least about 10. */
export function chiSquare(observed: readonly number[], expected: readonly number[]): number {
  return observed.reduce((sum, count, i) => sum + (count - expected[i]!) ** 2 / expected[i]!, 0);
}

/** χ² of the hypothesis that two lists of counts, of equally many draws, come from one distribution. */
export function chiSquareTwoSamples(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, count, i) => (count + b[i]! === 0 ? sum : sum + (count - b[i]!) ** 2 / (count + b[i]!)), 0);
}

/** Kolmogorov–Smirnov distance between a sample and a continuous distribution function. */
export function ksDistance(sample: readonly number[], cdf: (x: number) => number): number {
  const sorted = sample.toSorted((a, b) => a - b);
  const n = sorted.length;
  return sorted.reduce((most, x, i) => Math.max(most, Math.abs(cdf(x) - i / n), Math.abs((i + 1) / n - cdf(x))), 0);
}

/** What a Kolmogorov–Smirnov distance exceeds with probability 1e-6 (for n = 5000: 0.0381). */
export function ksLimit(n: number): number {
  return Math.sqrt(Math.log(2 / 1e-6) / (2 * n));
}

export function laplaceCdf(x: number, scale: number): number {
  return x < 0 ? 0.5 * Math.exp(x / scale) : 1 - 0.5 * Math.exp(-x / scale);
}

/** Relative entropy between coins, in nats. */
function divergence(p: number, q: number): number {
  const term = (x: number, y: number): number => (x === 0 ? 0 : x * Math.log(x / y));
  return term(p, q) + term(1 - p, 1 - q);
}

/** A bound on a probability from `hits` of `n`, wrong with probability at most `alpha` (Chernoff). `side`: -1 lower, 1 upper. */
export function probabilityBound(hits: number, n: number, alpha: number, side: -1 | 1): number {
  const rate = hits / n;
  let near = rate;
  let far = side === -1 ? 0 : 1;
  for (let i = 0; i < 60; i++) {
    const middle = (near + far) / 2;
    if (n * divergence(rate, middle) > Math.log(1 / alpha)) far = middle;
    else near = middle;
  }
  return far;
}

/**
 * A lower bound on ε of a mechanism from its outcomes on two neighbouring inputs, `n` runs each: the largest
 * ln(P(event) / P'(event)) that the counts prove, over single outcomes and in both directions. It exceeds the true ε
 * with probability at most 1e-6.
 */
export function epsilonLowerBound(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>, n: number): number {
  const events = new Set([...a.keys(), ...b.keys()]);
  const alpha = 1e-6 / (4 * events.size);
  let bound = 0;
  for (const event of events) {
    for (const [p, q] of [
      [a, b],
      [b, a],
    ] as const) {
      const low = probabilityBound(p.get(event) ?? 0, n, alpha, -1);
      const high = probabilityBound(q.get(event) ?? 0, n, alpha, 1);
      if (low > 0) bound = Math.max(bound, Math.log(low / high));
    }
  }
  return bound;
}

/** How often each outcome came in `n` runs. */
export function tally(n: number, run: () => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i < n; i++) {
    const outcome = run();
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  }
  return counts;
}
