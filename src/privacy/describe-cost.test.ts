import { expect, it } from 'vitest';
import { describeCost } from './describe-cost';

it.each([
  [1, 0, true, 'svt: ε = 1, differentially private'],
  [8, 1e-5, true, 'svt: ε = 8, δ = 0.00001, differentially private'],
  [25, 0, true, 'svt: ε = 25, a weak differential privacy guarantee'],
  [4_232_005.0010043, 0, true, 'svt: ε = 4232005.001, which is no meaningful privacy guarantee'],
  [Number.POSITIVE_INFINITY, 0, false, 'svt: NOT differentially private (ε = ∞)'],
])('a cost of ε = %f and δ = %f is called what it is', (epsilon, delta, differentiallyPrivate, line) => {
  expect(describeCost({ mechanism: 'svt', epsilon, delta, differentiallyPrivate })).toBe(line);
});
