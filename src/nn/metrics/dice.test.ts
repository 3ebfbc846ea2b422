import { describe, expect, it } from 'vitest';
import { diceScores, pooledMean, reduceScores, summarizeDice } from './dice';

const truth = [1, 1, 0, 0];

describe('Dice', () => {
  it('is twice the overlap over the sum of the sizes, per channel', () => {
    expect(diceScores([1, 0, 1, 0, 1, 1, 0, 0], [...truth, ...truth], 2)).toEqual([0.5, 1]);
  });

  it('is 0 for a missed truth and not defined for an empty one, whatever is predicted', () => {
    expect(diceScores([0, 0, 0, 0], truth, 1)).toEqual([0]);
    expect(diceScores([0, 1], [0, 0], 1)).toEqual([Number.NaN]);
    expect(diceScores([0, 0], [0, 0], 1)).toEqual([Number.NaN]);
  });

  it('scores an empty truth when asked to', () => {
    expect(diceScores([0, 0, 0, 1], [0, 0, 0, 0], 2, { ignoreEmpty: false })).toEqual([1, 0]);
  });

  it('takes logits from 0 on as positive when told so', () => {
    expect(diceScores([0, 3, -0.1, -2], truth, 1, { threshold: 0 })).toEqual([1]);
  });

  it('refuses masks of different sizes', () => {
    expect(() => diceScores([1], truth, 1)).toThrow('got 1 and 4 numbers');
    expect(() => diceScores(truth, truth, 3)).toThrow('of 3 channels');
  });
});

describe('means over cases and regions', () => {
  const cases = [
    [0.5, Number.NaN, 1],
    [0.2, 0.4, Number.NaN],
  ];

  it('weigh every defined pair the same', () => {
    const summary = summarizeDice(cases);
    expect(summary.mean).toBeCloseTo(2.1 / 4, 12);
    expect(summary.count).toBe(4);
    expect(summary.channels).toEqual([
      { mean: 0.35, count: 2 },
      { mean: 0.4, count: 1 },
      { mean: 1, count: 1 },
    ]);
  });

  it('are NaN of none when nothing is defined', () => {
    expect(pooledMean([Number.NaN])).toEqual({ mean: Number.NaN, count: 0 });
    expect(summarizeDice([])).toEqual({ mean: Number.NaN, count: 0, channels: [] });
  });

  it('average infinity in: only NaN is left out', () => {
    expect(reduceScores([[Number.POSITIVE_INFINITY, Number.NaN]], 'mean').value).toBe(Number.POSITIVE_INFINITY);
  });
});
