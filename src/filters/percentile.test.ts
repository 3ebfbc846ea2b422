import { describe, expect, it } from 'vitest';
import { numbersOf, testContext, weightDiff } from '../../test/support/filter-context';
import { tensor } from '../tensor/tensor';
import { percentile } from './percentile';

/** Changes a step; the update holds four times as much. */
const changes = [0.5, -0.02, 0.004, -0.3, 0.001, 0, 0.02, -0.02, 0.7, 0.006];

function update(values: readonly number[], steps = 4) {
  const data = Float64Array.from(values, (value) => value * steps);
  return { ...weightDiff([]), tensors: new Map([['w', tensor('float64', [data.length], data)]]), steps };
}

describe('the percentile filter', () => {
  // numpy.percentile of |changes|, then NVFlare's rule; gamma 0.1, times four steps.
  it.each([
    [0, [0.4, -0.08, 0.016, -0.4, 0.004, 0, 0.08, -0.08, 0.4, 0.024]],
    [35, [0.4, -0.08, 0, -0.4, 0, 0, 0.08, -0.08, 0.4, 0]],
    [77, [0.4, 0, 0, -0.4, 0, 0, 0, 0, 0.4, 0]],
    [100, [0, 0, 0, 0, 0, 0, 0, 0, 0.4, 0]],
  ])('at %d shares the largest changes, clipped, and zeros for the others', async (percent, expected) => {
    const sent = await percentile({ percentile: percent, gamma: 0.1 }).apply(update(changes), testContext());
    for (const [i, value] of numbersOf(sent).entries()) expect(value).toBeCloseTo(expected[i]!, 15);
  });

  it('takes the percentile over all tensors of the update', async () => {
    const sent = await percentile({ percentile: 60, gamma: 1 }).apply(weightDiff([[1, 2], [3, 4], [5]]), testContext());
    expect(numbersOf(sent)).toEqual([0, 0, 0, 1, 1]);
  });

  it('keeps a change that is exactly at the percentile, as the original does', async () => {
    const sent = await percentile({ percentile: 50, gamma: 9 }).apply(weightDiff([[1, 2, 3]]), testContext());
    expect(numbersOf(sent)).toEqual([0, 2, 3]);
  });

  it('is labelled as not differentially private at every call', async () => {
    const context = testContext();
    await percentile({}).apply(weightDiff([[1, 2]]), context);
    expect(context.costs).toEqual([
      expect.objectContaining({
        mechanism: 'percentile',
        differentiallyPrivate: false,
        epsilon: Number.POSITIVE_INFINITY,
      }),
    ]);
    expect(context.costs[0]!.unit).toMatch(/^not differentially private/);
  });

  it('refuses NaN, and sends scalars and integers as zeros', async () => {
    await expect(percentile({}).apply(weightDiff([[1, Number.NaN]]), testContext())).rejects.toThrow(/NaN/);
    const payload = weightDiff([[1]]);
    const tensors = new Map([...payload.tensors, ['n', tensor('int64', [1], BigInt64Array.of(7n))] as const]);
    expect(numbersOf(await percentile({}).apply({ ...payload, tensors }, testContext()))).toEqual([
      Math.fround(0.01),
      0,
    ]);
  });

  it.each([{ percentile: -1 }, { percentile: 101 }, { gamma: 0 }, { gamma: Number.NaN }, { percent: 5 }])(
    'refuses the options %j, where the original lets the update pass',
    (options) => {
      expect(() => percentile(options)).toThrow(/options of filter 'percentile'/);
    },
  );
});
