import { expect, test } from 'vitest';
import { commonDivisor, perAxis } from './per-axis';

test('one number stands for every axis', () => {
  expect(perAxis(3, 2)).toEqual([2, 2, 2]);
  expect(perAxis(2, [1, 2])).toEqual([1, 2]);
});

test('strides that follow each other divide a common multiple of their products', () => {
  expect(commonDivisor(3, [1, 2, 2])).toBe(4);
  expect(
    commonDivisor(2, [
      [2, 1],
      [2, 3],
    ]),
  ).toBe(12);
  expect(commonDivisor(3, [])).toBe(1);
});
