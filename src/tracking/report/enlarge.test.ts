import { expect, test } from 'vitest';
import { enlarge } from './enlarge';

test('a constant picture stays constant', () => {
  const { width, height, data } = enlarge({ width: 2, height: 3, data: new Uint8Array(6).fill(77) }, 3);
  expect([width, height]).toEqual([6, 9]);
  expect(new Set(data)).toEqual(new Set([77]));
});

test('the middle pixel of each three is the original one', () => {
  const source = Uint8Array.of(0, 200, 30, 90, 10, 250);
  const { data } = enlarge({ width: 3, height: 2, data: source }, 3);
  expect([1, 4].flatMap((row) => [1, 4, 7].map((column) => data[row * 9 + column]))).toEqual([...source]);
});

test('a ramp stays a ramp, and overshoot is cut off', () => {
  const { data } = enlarge({ width: 5, height: 1, data: Uint8Array.of(0, 30, 60, 90, 120) }, 3);
  expect([...data.subarray(4, 11)]).toEqual([30, 40, 50, 60, 70, 80, 90]);
  expect(Math.max(...enlarge({ width: 4, height: 1, data: Uint8Array.of(0, 255, 255, 0) }, 3).data)).toBe(255);
});
