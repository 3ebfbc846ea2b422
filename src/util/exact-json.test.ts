import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fromJson, toJson } from './exact-json';

it('brings back numbers beyond all bounds, and texts that read like them', () => {
  const value = { a: Number.POSITIVE_INFINITY, b: [Number.NEGATIVE_INFINITY, 'Infinity', '-Infinity', '~Infinity'] };
  expect(fromJson(toJson(value))).toEqual(value);
});

it('brings back any text', () => {
  const lookalikes = fc.string({ unit: fc.constantFrom('~', '-', 'Infinity'), maxLength: 4 });
  fc.assert(fc.property(fc.oneof(lookalikes, fc.string()), (text) => fromJson(toJson(text)) === text));
});

it('refuses what is not a number', () => {
  expect(() => toJson({ a: Number.NaN })).toThrow(/NaN/);
});
