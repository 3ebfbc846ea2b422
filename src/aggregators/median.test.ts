import { describe, expect, it } from 'vitest';
import { aggregated, sevenRows } from '../../test/support/aggregation';

describe('the median', () => {
  it('is the published one', async () => {
    expect(await aggregated({ kind: 'median' }, sevenRows)).toEqual([1.05, 2, -0.95]);
  });

  it('of an even number of sites is the mean of the two in the middle', async () => {
    expect(await aggregated({ kind: 'median' }, [[1], [100], [4], [2]])).toEqual([3]);
  });

  it('sorts many sites as it sorts few', async () => {
    const rows = Array.from({ length: 101 }, (_, k) => [(k * 37) % 101, -((k * 37) % 101)]);
    expect(await aggregated({ kind: 'median' }, rows)).toEqual([50, -50]);
  });

  it('gives the same bits whichever site sends what', async () => {
    const rows = [[0.1], [-0.0], [0], [0.3], [0.2]];
    expect(await aggregated({ kind: 'median' }, rows)).toEqual(await aggregated({ kind: 'median' }, rows.toReversed()));
    expect(await aggregated({ kind: 'median' }, [[-0.0], [-0.0], [0]])).toEqual([0]);
  });
});

describe('the trimmed mean', () => {
  it('is the published one, with one and with two of seven left out at either end', async () => {
    const one = await aggregated({ kind: 'trimmed-mean', share: 0.2 }, sevenRows);
    for (const [i, x] of [1.05, 1.97, -0.95].entries()) expect(one[i]).toBeCloseTo(x, 12);
    const two = await aggregated({ kind: 'trimmed-mean', share: 0.3 }, sevenRows);
    for (const [i, x] of [1.05, 1.983333, -0.95].entries()) expect(two[i]).toBeCloseTo(x, 6);
  });

  it('agrees with Flower', async () => {
    const rows = [
      [0.5, 0.5, 0.5, 0.5],
      [1, 0.2, 0.5, 1],
      [0.2, 0.5, 1, 0.2],
      [0.5, 1, 0.2, 0.5],
    ];
    expect(await aggregated({ kind: 'trimmed-mean', share: 0.25 }, rows)).toEqual([0.5, 0.5, 0.5, 0.5]);
    expect(await aggregated({ kind: 'trimmed-mean', share: 0.25 }, [[0.5], [1], [2], [100]])).toEqual([1.5]);
  });

  it('never becomes the plain mean in silence: at least one at either end', async () => {
    // Flower leaves out ⌊0.2·4⌋ = 0 here.
    const four = aggregated({ kind: 'trimmed-mean', share: 0.2 }, [[1], [2], [3], [1000]]);
    await expect(four).rejects.toThrow(/needs 5 updates.*got 4/);
  });

  it('counts a share of a hundred sites without the slip of binary fractions', async () => {
    // 0.29 · 100 is 28.999… in float64.
    const rows = Array.from({ length: 100 }, (_, k) => [k < 29 ? -1e6 : k >= 71 ? 1e9 : 5]);
    expect(await aggregated({ kind: 'trimmed-mean', share: 0.29 }, rows)).toEqual([5]);
  });
});
