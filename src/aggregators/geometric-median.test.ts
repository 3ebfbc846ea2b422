import { describe, expect, it } from 'vitest';
import { aggregated, type Row, sevenRows } from '../../test/support/aggregation';

/** Σ‖xᵢ − y‖. */
const cost = (rows: readonly Row[], y: Row) =>
  rows.reduce((sum, row) => sum + Math.hypot(...row.map((x, i) => x - y[i]!)), 0);

describe('the geometric median', () => {
  it('is the published one', async () => {
    const found = await aggregated({ kind: 'geometric-median' }, sevenRows);
    for (const [i, x] of [1.028114, 2.001054, -0.976316].entries()) expect(found[i]).toBeCloseTo(x, 6);
  });

  it('has the least sum of distances: no step aside is better', async () => {
    const found = await aggregated({ kind: 'geometric-median' }, sevenRows);
    for (const i of [0, 1, 2]) {
      for (const step of [1e-3, -1e-3]) {
        expect(cost(sevenRows, found.with(i, found[i]! + step))).toBeGreaterThan(cost(sevenRows, found));
      }
    }
  });

  it('is where three points of a triangle see each other at 120°', async () => {
    const [x, y] = await aggregated({ kind: 'geometric-median' }, [
      [0, 0],
      [2, 0],
      [1, Math.sqrt(3)],
    ]);
    expect(x).toBeCloseTo(1, 6);
    expect(y).toBeCloseTo(1 / Math.sqrt(3), 6);
  });

  it('stays at a point that most sites share', async () => {
    const [x] = await aggregated({ kind: 'geometric-median' }, [[1], [1], [1], [5], [9]]);
    expect(x).toBeCloseTo(1, 5);
  });

  it('takes as many steps as it is allowed', async () => {
    const one = await aggregated({ kind: 'geometric-median', iterations: 1 }, sevenRows);
    // From the median [1.05, 2, −0.95], by hand.
    const at = [1.05, 2, -0.95];
    const weights = sevenRows.map((row) => 1 / Math.max(1e-6, Math.hypot(...row.map((x, i) => x - at[i]!))));
    const total = weights.reduce((a, b) => a + b, 0);
    const expected = at.map((_, i) => sevenRows.reduce((sum, row, k) => sum + (weights[k]! * row[i]!) / total, 0));
    for (const [i, x] of expected.entries()) expect(one[i]).toBeCloseTo(x, 12);
  });
});
