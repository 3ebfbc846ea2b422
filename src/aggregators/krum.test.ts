import { describe, expect, it } from 'vitest';
import { aggregated, type Row, sevenRows } from '../../test/support/aggregation';
import { byScore, krumScores } from './krum';
import { squaredDistances } from './points';

const pointsOf = (rows: readonly Row[]) => rows.map((row) => [Float64Array.from(row)]);
const scalars = (...values: readonly number[]): Row[] => values.map((x) => [x]);

/** Places of the chosen, with so many neighbours. */
async function chosenOf(rows: readonly Row[], neighbours: number, count: number): Promise<number[]> {
  return byScore(krumScores(await squaredDistances(pointsOf(rows)), neighbours)).slice(0, count);
}

describe('Krum', () => {
  it('has the published scores, and takes the update with the least', async () => {
    const scores = krumScores(await squaredDistances(pointsOf(sevenRows)), 7 - 1 - 2);
    const expected = [0.1875, 0.2875, 0.3075, 0.5275, 0.5675, 0.19, 20466.3575];
    for (const [i, score] of expected.entries()) expect(scores[i]).toBeCloseTo(score, 9);
    expect(await aggregated({ kind: 'krum', faulty: 1 }, sevenRows)).toEqual([1, 2, -1]);
  });

  it('chooses as Flower and byzfl do, with their number of neighbours', async () => {
    // Flower's own test, with fewer updates than the proof needs: 0.7 and 1.0 are equally near to each other.
    expect(await chosenOf(scalars(0.2, 0.7, 1), 1, 1)).toEqual([1]);
    // byzfl takes n − f − 1 others, one here; all are equally near.
    const rows = [
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ];
    expect(await chosenOf(rows, 1, 1)).toEqual([0]);
    expect(await chosenOf(rows, 1, 2)).toEqual([0, 1]);
  });

  it('of equals, takes the update of the earlier site', async () => {
    const rows = scalars(9, 1, 2, 1, 2);
    expect(await aggregated({ kind: 'krum', faulty: 1 }, rows)).toEqual([1]);
    expect(await aggregated({ kind: 'krum', faulty: 1 }, rows, { arrival: [4, 3, 2, 1, 0] })).toEqual([1]);
  });

  it('tells apart far points that are near each other', async () => {
    // ‖x‖² + ‖y‖² − 2xy in float32 finds 0 here.
    const far = Float64Array.from({ length: 100_000 }, () => 10);
    const near = far.map((x, i) => (i < 10 ? x + 1e-2 : x));
    expect((await squaredDistances([[far], [near]]))[0]![1]).toBeCloseTo(1e-3, 12);
  });

  it('is not led by a number that float32 can hold but not square', async () => {
    expect(await aggregated({ kind: 'krum', faulty: 1 }, scalars(1, 3e38, 1.1, 0.9, 1.3))).toEqual([1]);
  });
});

describe('multi-Krum', () => {
  it('gives the published means of three and of six', async () => {
    const of = (selected: number) => aggregated({ kind: 'multi-krum', faulty: 1, selected }, sevenRows);
    for (const [i, x] of [1.05, 1.983333, -0.95].entries()) expect((await of(3))[i]).toBeCloseTo(x, 6);
    for (const [i, x] of [1.008333, 2.008333, -0.991667].entries()) expect((await of(6))[i]).toBeCloseTo(x, 6);
  });

  it('takes n − f − 2 when it is not told how many', async () => {
    const plain = await aggregated({ kind: 'multi-krum', faulty: 1 }, sevenRows);
    expect(plain).toEqual(await aggregated({ kind: 'multi-krum', faulty: 1, selected: 4 }, sevenRows));
  });

  it('averages what Flower and byzfl average', async () => {
    // Flower: m = 2 of 0.2, 0.5, 1.0; byzfl: [2.5, 3.5, 4.5] of the first two of three.
    expect(await chosenOf(scalars(0.2, 0.5, 1), 1, 2)).toEqual([0, 1]);
  });

  it('refuses a round in which so many cannot all be honest', async () => {
    const round = aggregated({ kind: 'multi-krum', faulty: 1, selected: 6 }, sevenRows.slice(0, 6));
    await expect(round).rejects.toThrow(/'multi-krum' needs 7 updates.*got 6/);
  });
});
