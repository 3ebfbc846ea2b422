import { describe, expect, it } from 'vitest';
import { aggregated, sevenRows } from '../../test/support/aggregation';
import { bulyanSelection, meanNearest } from './bulyan';
import { squaredDistances } from './points';

describe('Bulyan', () => {
  it('chooses as published, and of two equally near values takes the earlier site’s', async () => {
    const distances = await squaredDistances(sevenRows.map((row) => [Float64Array.from(row)]));
    expect(bulyanSelection(distances, 1)).toEqual([0, 5, 2, 1, 3]);
    const found = await aggregated({ kind: 'bulyan', faulty: 1 }, sevenRows);
    // Third number: −0.9 (site-2) and −1.1 (site-3) are equally far from the median −1.
    for (const [i, x] of [1.05, 2.05, -0.95].entries()) expect(found[i]).toBeCloseTo(x, 12);
  });

  it('averages the values nearest to a centre, as Flower’s own test has them', () => {
    expect(meanNearest(Float64Array.of(1, 2, 0.5), 1, 2)).toBe(0.75);
    expect(meanNearest(Float64Array.of(1.1, 0.9, 5), 1, 2)).toBe(1);
    expect(meanNearest(Float64Array.of(2.1, 1.9, 5), 2, 2)).toBe(2);
    expect(meanNearest(Float64Array.of(3, -1, 7), 1, 1)).toBe(3);
    expect(meanNearest(Float64Array.of(-1, 3, 7), 1, 1)).toBe(-1);
  });

  it('is the mean when nobody is wrong, as in Flower', async () => {
    const rows = [0.2, 0.5, 0.7, 12, 0.1, 0.1].map((x) => [x]);
    expect((await aggregated({ kind: 'bulyan', faulty: 0 }, rows))[0]).toBeCloseTo(2.2667, 4);
  });

  it('undoes an update that is near in all numbers but one', async () => {
    const honest = Array.from({ length: 6 }, (_, k) =>
      Array.from({ length: 500 }, (_, i) => Math.sin((k + 1) * (i + 1) * 1.7)),
    );
    const stealthy = Array.from({ length: 500 }, (_, i) => (i === 0 ? 3 : 0));
    const rows = [stealthy, ...honest];
    // Krum falls for it: its other numbers lie in the middle.
    expect((await aggregated({ kind: 'krum', faulty: 1 }, rows))[0]).toBe(3);
    const [first] = await aggregated({ kind: 'bulyan', faulty: 1 }, rows);
    expect(Math.abs(first!)).toBeLessThanOrEqual(Math.max(...honest.map(([x]) => Math.abs(x!))));
  });

  it('holds two wrong of eleven', async () => {
    const honest = Array.from({ length: 9 }, (_, k) => [1 + k / 100, -1 - k / 100]);
    const [x, y] = await aggregated({ kind: 'bulyan', faulty: 2 }, [[-10, 10], ...honest, [-10, 10]]);
    expect(x).toBeGreaterThanOrEqual(1);
    expect(x).toBeLessThanOrEqual(1.08);
    expect(y).toBeCloseTo(-x!, 12);
  });
});
