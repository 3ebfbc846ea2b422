import { expect, test } from 'vitest';
import { firstNonFinite } from './first-non-finite';
import { float32, tensor } from './tensor';

test('finds the first NaN or infinite element wherever it stands', () => {
  for (let length = 1; length <= 9; length++) {
    for (let at = 0; at < length; at++) {
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        const values = Array.from({ length }, (_, i) => (i >= at ? bad : 3.4e38));
        expect(firstNonFinite(float32([length], values))).toBe(at);
        expect(firstNonFinite(tensor('float64', [length], Float64Array.from(values)))).toBe(at);
      }
    }
  }
});

test('is -1 for finite numbers, the largest included, and for whole ones', () => {
  expect(firstNonFinite(float32([5], [3.4e38, -3.4e38, 0, -0, 1]))).toBe(-1);
  expect(firstNonFinite(tensor('float64', [2], Float64Array.of(Number.MAX_VALUE, Number.MAX_VALUE)))).toBe(-1);
  expect(firstNonFinite(tensor('int64', [1], BigInt64Array.of(7n)))).toBe(-1);
  expect(firstNonFinite(float32([0], []))).toBe(-1);
});
