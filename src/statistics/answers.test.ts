import { describe, expect, it } from 'vitest';
import { RandomWords } from '../privacy/random-words';
import { seededTestNoise } from '../privacy/seeded-test-noise';
import { float32, tensor } from '../tensor/tensor';
import { sumNumbers, sumSpread } from './accumulate';
import { answerNumbers, answerSpread, readNumbers, readSpread } from './answers';
import { type Cleansers, mostBins, noisedMax, noisedMin } from './cleansers';
import type { FeatureSource, FeatureValues } from './feature-source';
import type { NumbersQuestion } from './questions';

const cleansers: Cleansers = { minCount: 10, minNoiseLevel: 0.1, maxNoiseLevel: 0.3, maxBinsPercent: 10 };
const everything: NumbersQuestion = { ask: 'numbers', give: ['failures', 'sum', 'range', 'most-bins'] };
const { signal } = new AbortController();
const hundred = Array.from({ length: 100 }, (_, i) => i + 1);

function sourceOf(...features: readonly FeatureValues[]): FeatureSource {
  return { features: () => features };
}

async function numbers(source: FeatureSource, question = everything, over: Partial<Cleansers> = {}) {
  const words = new RandomWords(seededTestNoise(3));
  return answerNumbers(await sumNumbers(source, () => true, signal), question, { ...cleansers, ...over }, words);
}

describe('the first answer', () => {
  it('holds count, missing values, the exact sum, a widened range and the bins that may be asked for', async () => {
    const source = sourceOf({ feature: 'age', values: hundred }, { feature: 'age', values: [Number.NaN, 5] });
    const { tensors, withheld } = await numbers(source);
    const given = readNumbers(tensors);
    if (typeof given === 'string') throw new Error(given);
    const { count, failures, sum, range, mostBins } = given.get('age')!;
    expect({ count, failures, sum: [...sum!], mostBins }).toEqual({
      count: 101,
      failures: 1,
      sum: [5055],
      mostBins: 10,
    });
    expect(range![0]).toBeGreaterThanOrEqual(0.7);
    expect(range![0]).toBeLessThanOrEqual(0.9);
    expect(range![1]).toBeGreaterThanOrEqual(110);
    expect(range![1]).toBeLessThanOrEqual(130);
    expect(withheld).toEqual([]);
  });

  it('has nothing that was not asked for', async () => {
    const { tensors } = await numbers(sourceOf({ feature: 'age', values: hundred }), { ask: 'numbers', give: [] });
    expect([...tensors.keys()]).toEqual(['age/count']);
  });

  it('lacks a feature of too few cases, and the log says so; the count stays too', async () => {
    const nine = { feature: 'rare', values: hundred.slice(0, 9) };
    const { tensors, withheld } = await numbers(sourceOf(nine, { feature: 'age', values: hundred }));
    expect([...tensors.keys()].every((name) => name.startsWith('age/'))).toBe(true);
    expect(withheld).toEqual(["nothing of 'rare' leaves: 9 cases, and minCount is 10"]);
  });

  it('counts patients, not voxels, where a source says what a case is', async () => {
    const volumes = Array.from({ length: 3 }, () => ({ feature: 'T1', values: hundred, cases: 1 }));
    expect((await numbers(sourceOf(...volumes))).tensors.size).toBe(0);
    expect((await numbers(sourceOf(...volumes), everything, { minCount: 3 })).tensors.size).toBe(5);
  });

  it('does not count missing values as cases', async () => {
    const values = [...hundred.slice(0, 9), ...Array<number>(50).fill(Number.NaN)];
    expect((await numbers(sourceOf({ feature: 'age', values }))).tensors.size).toBe(0);
  });

  it('lacks a feature without a single value, even when no count is too small', async () => {
    const empty = { feature: 'age', values: [Number.NaN], cases: 40 };
    expect((await numbers(sourceOf(empty), everything, { minCount: 1 })).tensors.size).toBe(0);
  });
});

describe('the second answer', () => {
  const edges = Float64Array.from({ length: 11 }, (_, i) => i * 10);
  const fine = Float64Array.from({ length: 12 }, (_, i) => i * 10);

  it('holds squared deviations and bins', async () => {
    const question = new Map([['age', { mean: 50.5, histogram: edges, quantiles: edges }]]);
    const spread = await sumSpread(sourceOf({ feature: 'age', values: hundred }), question, signal);
    const given = readSpread(answerSpread(spread, cleansers).tensors);
    if (typeof given === 'string') throw new Error(given);
    const { count, squares, histogram } = given.get('age')!;
    expect(count).toBe(100);
    expect([...squares]).toEqual([83325]);
    expect([...histogram!]).toEqual([0, 9, 10, 10, 10, 10, 10, 10, 10, 10, 11, 0]);
  });

  it('lacks a histogram with more bins than the count allows', async () => {
    const question = new Map([['age', { mean: 50.5, histogram: fine }]]);
    const spread = await sumSpread(sourceOf({ feature: 'age', values: hundred }), question, signal);
    const { tensors, withheld } = answerSpread(spread, cleansers);
    expect([...tensors.keys()]).toEqual(['age/count', 'age/squares']);
    expect(withheld[0]).toMatch(/bins of the histogram of 'age' do not leave: 11 bins for 100 values/);
  });

  it('lacks a feature of too few cases, whatever was asked', async () => {
    const source = sourceOf({ feature: 'age', values: hundred.slice(0, 9) });
    const spread = await sumSpread(source, new Map([['age', { mean: 1 }]]), signal);
    expect(answerSpread(spread, cleansers).tensors.size).toBe(0);
  });
});

describe('the server refuses an answer', () => {
  const count = tensor('float64', [1], Float64Array.of(12));
  it.each([
    ['of another dtype', { 'age/count': float32([1], [12]) }, /float32 \[1\]/],
    ['without a count', { 'age/sum': count }, /has no count/],
    ['with half a case', { 'age/count': tensor('float64', [1], Float64Array.of(12.5)) }, /no whole number/],
    [
      'with infinity',
      { 'age/count': count, 'age/sum': tensor('float64', [1], Float64Array.of(1 / 0)) },
      /out of range/,
    ],
    ['with names that it does not know', { 'age/rows': count }, /unknown name 'age\/rows'/],
    ['with a name that reaches a prototype', { '__proto__/count': count }, /unknown name/],
    [
      'with a range upside down',
      { 'age/count': count, 'age/range': tensor('float64', [2], Float64Array.of(2, 1)) },
      /range/,
    ],
  ])('%s', (_, tensors, message) => {
    expect(readNumbers(new Map(Object.entries(tensors)))).toMatch(message);
  });

  it('whose bins hold another number of values than it counts', () => {
    const histogram = tensor('float64', [3], Float64Array.of(0, 11, 0));
    const tensors = new Map([
      ['age/count', count],
      ['age/squares', count],
      ['age/histogram', histogram],
    ]);
    expect(readSpread(tensors)).toMatch(/hold 11 values, not 12/);
  });
});

describe('the noise on minima and maxima', () => {
  it.each([-7, -0.5, 0, 0.5, 7])('widens the range about %d', (value) => {
    expect(noisedMin(value, 0.2)).toBeLessThan(value);
    expect(noisedMax(value, 0.2)).toBeGreaterThan(value);
  });

  it('is that of NVFlare for every sign', () => {
    expect([5, -5, 0].map((value) => noisedMin(value, 0.2))).toEqual([4, -6, -(1 - 0.2) * 1e-5]);
    expect([5, -5, 0].map((value) => noisedMax(value, 0.2))).toEqual([6, -4, 1.2 * 1e-5]);
  });
});

it('allows bins up to their share of the count', () => {
  expect([9, 10, 99, 100].map((count) => mostBins(count, cleansers))).toEqual([0, 1, 9, 10]);
});
