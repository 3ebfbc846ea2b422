import { expect, test } from 'vitest';
import { areMultiples, nearestMultiples, perAxis, perAxisText, strideProducts } from './per-axis';

test('one number stands for every axis', () => {
  expect(perAxis(3, 2)).toEqual([2, 2, 2]);
  expect(perAxis(2, [1, 2])).toEqual([1, 2]);
});

test('strides that follow each other divide the length of each axis', () => {
  expect(strideProducts(3, [1, 2, 2])).toEqual([4, 4, 4]);
  expect(strideProducts(3, [1, [2, 2, 1], 2, 2])).toEqual([8, 8, 4]);
  expect(strideProducts(3, [])).toEqual([1, 1, 1]);
});

test('lengths are multiples axis by axis', () => {
  expect(areMultiples([16, 8, 12], [8, 8, 4])).toBe(true);
  expect(areMultiples([16, 12, 12], [8, 8, 4])).toBe(false);
  expect(areMultiples([16, 12], 4)).toBe(true);
  expect(areMultiples([16, 0], 4)).toBe(false);
  expect(areMultiples([16, 12], [4, 4, 4])).toBe(false);
});

test('the nearest multiples are not zero', () => {
  expect(nearestMultiples([15, 1, 13], [8, 8, 4])).toEqual([16, 8, 12]);
});

test('numbers of the axes are told once where they are equal', () => {
  expect(perAxisText(8)).toBe('8');
  expect(perAxisText([8, 8, 8])).toBe('8');
  expect(perAxisText([8, 8, 4])).toBe('8, 8 and 4');
});
