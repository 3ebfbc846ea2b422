import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isConsiliumError } from '../errors';
import { ExactSum } from './exact-sum';

/** Sums in whole numbers of 2^-400, which no rounding touches. */
function exactly(values: readonly number[]): number {
  const unit = 2 ** 400;
  return Number(values.reduce((sum, value) => sum + BigInt(value * unit), 0n)) / unit;
}

const values = fc.array(
  fc
    .tuple(fc.integer({ min: -(2 ** 31), max: 2 ** 31 }), fc.integer({ min: -340, max: 300 }))
    .map(([m, e]) => m * 2 ** e),
  { maxLength: 60 },
);

it('is the sum in whole numbers, rounded once, whatever the sizes of the summands', () => {
  fc.assert(
    fc.property(values, (all) => {
      expect(new ExactSum(all).value()).toBe(exactly(all));
    }),
    { seed: 1 },
  );
});

it('does not depend on the order, nor on which part was summed where', () => {
  fc.assert(
    fc.property(values, fc.nat(60), (all, cut) => {
      const merged = new ExactSum(new ExactSum(all.slice(cut).reverse()).parts());
      for (const part of new ExactSum(all.slice(0, cut)).parts()) merged.add(part);
      expect(merged.value()).toBe(new ExactSum(all).value());
    }),
    { seed: 2 },
  );
});

it('keeps what a double cannot hold: half a unit in the last place, and a little more', () => {
  expect(new ExactSum([1, 2 ** -53]).value()).toBe(1);
  expect(new ExactSum([1, 2 ** -53, 2 ** -500]).value()).toBe(1 + 2 ** -52);
  expect(new ExactSum([1, -(2 ** -54), -(2 ** -1074)]).value()).toBe(1 - 2 ** -53);
  expect(new ExactSum([1e100, 1, -1e100]).value()).toBe(1);
  expect(new ExactSum().value()).toBe(0);
});

it('refuses what leaves the range of doubles', () => {
  for (const wrong of [[1.7e308, 1.7e308], [Number.NaN], [Number.POSITIVE_INFINITY]]) {
    expect(() => new ExactSum(wrong)).toThrowError(
      expect.toSatisfy((error) => isConsiliumError(error, 'NonFiniteError')),
    );
  }
});
