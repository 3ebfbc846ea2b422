import { describe, expect, it } from 'vitest';
import { splitSelectionBudget } from './svt-split';

const golden = [
  [1, 0.386488209564, 0.613511790436],
  [2, 0.284103653417, 0.715896346583],
  [4, 0.2, 0.8],
  [10, 0.119501968416, 0.880498031584],
  [100, 0.028409479172, 0.971590520828],
] as const;

describe('splitSelectionBudget', () => {
  it.each(golden)('splits 1 for %i entries into %f and %f', (count, threshold, query) => {
    const split = splitSelectionBudget(1, count);
    expect(split.threshold).toBeCloseTo(threshold, 12);
    expect(split.query).toBeCloseTo(query, 12);
  });

  it('gives the published scales for the 4,702,227 numbers of SegResNet', () => {
    const count = Math.ceil(0.9 * 4_702_227);
    expect(count).toBe(4_232_005);
    expect(splitSelectionBudget(21, count).threshold).toBeCloseTo(5.06e-4, 6);
    expect(splitSelectionBudget(0.001, count).threshold).toBeCloseTo(2.4e-8, 9);
    expect(splitSelectionBudget(0.001, count).query).toBeCloseTo(0.00099998, 8);
  });

  it('loses nothing of the budget', () => {
    for (const epsilon of [1e-9, 0.001, 3, 1e6]) {
      const { threshold, query } = splitSelectionBudget(epsilon, 12345);
      expect(threshold + query).toBe(epsilon);
    }
  });
});
