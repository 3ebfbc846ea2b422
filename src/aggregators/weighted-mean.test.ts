import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sevenRows } from '../../test/support/aggregation';
import { float32, type NamedTensors, type Tensor, tensor } from '../tensor/tensor';
import type { AggregatorOptions, DirectAggregator, SiteUpdate } from './aggregator';
import { weightedMean } from './weighted-mean';

const sites = ['site-1', 'site-2', 'site-3', 'site-4'] as const;

function model(...values: readonly number[]): NamedTensors {
  return new Map<string, Tensor>([
    ['a', float32([2], values.slice(0, 2))],
    ['b', float32([1, 1], values.slice(2, 3))],
  ]);
}

const options: AggregatorOptions = {
  reference: model(1, 2, 3),
  siteOrder: sites,
  kind: 'weight-diff',
  round: 4,
  maxSteps: 1000,
};

function update(site: string, steps: number, tensors: NamedTensors, change: Partial<SiteUpdate> = {}): SiteUpdate {
  return { site, round: 4, payload: { kind: 'weight-diff', tensors, metrics: {}, steps }, ...change };
}

function numbers(tensors: NamedTensors): readonly number[] {
  return [...tensors.values()].flatMap(({ data }) => [...data].map(Number));
}

function averaged(updates: readonly SiteUpdate[], over: Partial<AggregatorOptions> = {}): readonly number[] {
  const mean = weightedMean({ ...options, ...over });
  for (const each of updates) mean.add(each);
  return numbers(mean.finish());
}

describe('weightedMean', () => {
  it('adds the mean difference, weighted by steps, to the global model', () => {
    const updates = [update('site-1', 1, model(4, 0, 8)), update('site-2', 3, model(0, 4, 4))];
    expect(averaged(updates)).toEqual([1 + 1, 2 + 3, 3 + 5]);
  });

  it('replaces the global model by the mean of full weights', () => {
    const updates = [update('site-1', 1, model(4, 0, 8)), update('site-2', 3, model(0, 4, 4))].map((each) => ({
      ...each,
      payload: { ...each.payload, kind: 'weights' as const },
    }));
    expect(averaged(updates, { kind: 'weights' })).toEqual([1, 3, 5]);
  });

  it('agrees with a published reference vector for seven weighted sites', () => {
    const rows = sevenRows;
    const weights = [10, 20, 30, 40, 50, 60, 5];
    const siteOrder = rows.map((_, k) => `site-${k + 1}`);
    const updates = rows.map((row, k) => update(siteOrder[k]!, weights[k]!, model(...row)));
    const result = averaged(updates, { siteOrder, reference: model(0, 0, 0) });
    for (const [i, expected] of [2.139535, 1.032558, -0.260465].entries()) expect(result[i]).toBeCloseTo(expected, 6);
  });

  it('gives the same bits in every order of arrival, whichever sites are missing', () => {
    const finite = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 });
    const row = fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.tuple(finite, finite, finite));
    const round = fc
      .tuple(fc.array(row, { minLength: 4, maxLength: 4 }), fc.shuffledSubarray([0, 1, 2, 3], { minLength: 1 }))
      .map(([rows, arrival]) =>
        arrival.map((k) => [k, update(sites[k]!, rows[k]![0], model(...rows[k]![1]))] as const),
      );
    fc.assert(
      fc.property(round, (arrivals) => {
        const inSiteOrder = arrivals.toSorted(([a], [b]) => a - b).map(([, each]) => each);
        expect(averaged(arrivals.map(([, each]) => each))).toEqual(averaged(inSiteOrder));
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('goes on without a site that is skipped, with the same bits', () => {
    const siteOrder = Array.from({ length: 11 }, (_, i) => `site-${i}`);
    const updates = siteOrder.map((site, i) => update(site, i + 1, model(1 / (i + 3), Math.sin(i), 1e9 / (i + 7))));
    const without = updates.filter(({ site }) => site !== 'site-0');
    const mean = weightedMean({ ...options, siteOrder });
    for (const each of without) mean.add(each);
    mean.skip?.('site-0');
    expect(numbers(mean.finish())).toEqual(averaged(without, { siteOrder }));
    expect(() => mean.add(updates[0]!)).toThrow(/without this site|round is over/);
  });

  it('adds many updates with the bits that adding them one by one gives', () => {
    const siteOrder = Array.from({ length: 11 }, (_, i) => `site-${i}`);
    const values = siteOrder.map((_, i) => Math.fround(1e6 * Math.sin(7 * i)));
    const updates = siteOrder.map((site, i) => update(site, i + 1, model(values[i]!, 0, 0)));
    const sum = values.reduce((total, value, i) => total + (i + 1) * value, 0);
    expect(averaged(updates, { siteOrder, reference: model(0, 0, 0) })[0]).toBe(Math.fround(sum / 66));
  });

  it('sums in float64: large terms that cancel leave the small one', () => {
    const updates = [
      update('site-1', 1, model(2 ** 40, 0, 0)),
      update('site-2', 1, model(1, 0, 0)),
      update('site-3', 1, model(-(2 ** 40), 0, 0)),
      update('site-4', 1, model(0, 0, 0)),
    ];
    expect(averaged(updates, { reference: model(0, 0, 0) })).toEqual([0.25, 0, 0]);
  });

  it('names who took part in site order', () => {
    const mean = weightedMean(options);
    mean.add(update('site-3', 7, model(0, 0, 0)));
    mean.add(update('site-1', 5, model(0, 0, 0)));
    expect(mean.contributions()).toEqual([
      { site: 'site-1', steps: 5 },
      { site: 'site-3', steps: 7 },
    ]);
  });

  it('does not touch the updates or the global model', () => {
    const reference = model(1, 2, 3);
    const given = model(5, 6, 7);
    averaged([update('site-1', 2, given)], { reference });
    expect([numbers(reference), numbers(given)]).toEqual([
      [1, 2, 3],
      [5, 6, 7],
    ]);
  });

  it('takes counters to the nearest whole number', () => {
    const counts = (n: number) => new Map([['n', tensor('int64', [], BigInt64Array.of(BigInt(n)))]]);
    const over = { reference: counts(10) };
    const updates = [update('site-1', 1, counts(4)), update('site-2', 3, counts(5))];
    expect(averaged(updates, over)).toEqual([15]); // 10 + 4.75
    const weights = updates.map((each) => ({ ...each, payload: { ...each.payload, kind: 'weights' as const } }));
    expect(averaged(weights, { ...over, kind: 'weights' })).toEqual([5]);
  });

  it('gives the mean unrounded when it is asked to be precise', () => {
    const mean = weightedMean({ ...options, precise: true });
    mean.add(update('site-1', 2, model(0, 0, 0)));
    mean.add(update('site-2', 1, model(1, 0, 0)));
    expect(mean.finish().get('a')).toEqual({ dtype: 'float64', shape: [2], data: Float64Array.of(1 + 1 / 3, 2) });
  });

  it('gives back what it has added, and what waits and can be read again', async () => {
    const mean = weightedMean({ ...options, siteOrder: ['site-1', 'site-2', 'site-3'] });
    const released: string[] = [];
    const lent = (site: string, value: number) => {
      const given = update(site, 1, model(value, 0, 0));
      const first = () => void released.push(site);
      const again = async () => ({ ...given, release: () => void released.push(`${site} again`) });
      return mean.add(given, first, again);
    };
    await lent('site-2', 2);
    await lent('site-3', 3);
    expect(released).toEqual(['site-2', 'site-3']);
    await lent('site-1', 4);
    expect(numbers(mean.finish())).toEqual([1 + 3, 2, 3]);
    expect(released).toEqual(['site-2', 'site-3', 'site-1', 'site-2 again', 'site-3 again']);
  });

  it('begins each round at zero, whatever the sums of the one before have left in memory', () => {
    const large = (value: number) => new Map([['a', float32([20_000], new Float32Array(20_000).fill(value))]]);
    const round = (value: number) => {
      const mean = weightedMean({ ...options, reference: large(0) });
      mean.add(update('site-1', 2, large(value)));
      return new Set(numbers(mean.finish()));
    };
    expect(round(5)).toEqual(new Set([5]));
    expect(round(7)).toEqual(new Set([7]));
  });

  it('refuses to finish a round without updates', () => {
    expect(() => weightedMean(options).finish()).toThrow(/No site/);
  });

  it('refuses a mean that does not fit the dtype of the model', () => {
    const mean = weightedMean({ ...options, reference: model(3e38, 0, 0) });
    mean.add(update('site-1', 1, model(3e38, 0, 0)));
    expect(() => mean.finish()).toThrow(/'a' is too large for float32/);
  });

  it('refuses options that cannot be met', () => {
    expect(() => weightedMean({ ...options, siteOrder: ['x', 'x'] })).toThrow(/different names/);
    expect(() => weightedMean({ ...options, maxSteps: 0 })).toThrow(/at least 1/);
    const flags = new Map([['n', tensor('uint8', [], new Uint8Array(1))]]);
    expect(() => weightedMean({ ...options, reference: flags })).toThrow(/'n' is uint8/);
  });
});

const good = model(1, 1, 1);
const without = (name: string) => new Map([...good].filter(([key]) => key !== name));
const withTensor = (name: string, value: Tensor) => new Map([...good, [name, value]]);
const bad: readonly (readonly [string, SiteUpdate, RegExp])[] = [
  ['a site that is not expected', update('site-9', 1, good), /site-9.*expects site-1/],
  ['another round', update('site-2', 1, good, { round: 3 }), /round 3.*round 4/],
  [
    'another kind',
    update('site-2', 1, good, { payload: { ...update('', 1, good).payload, kind: 'weights' } }),
    /'weights'.*'weight-diff'/,
  ],
  ['no steps', update('site-2', 0, good), /step count is 0/],
  ['half a step', update('site-2', 1.5, good), /step count is 1.5/],
  ['not a number of steps', update('site-2', Number.NaN, good), /step count is NaN/],
  ['a claim of too many steps', update('site-2', 1001, good), /1001.*1 to 1000/],
  ['a missing tensor', update('site-2', 1, without('b')), /lacks the tensor 'b'/],
  ['an extra tensor', update('site-2', 1, withTensor('c', float32([1], [1]))), /no tensor 'c'/],
  ['another shape', update('site-2', 1, withTensor('b', float32([1], [1]))), /'b' is float32 \[1\].*\[1,1\]/],
  ['another dtype', update('site-2', 1, withTensor('b', tensor('float64', [1, 1], new Float64Array(1)))), /float64/],
  [
    'too few elements',
    update('site-2', 1, withTensor('b', { ...float32([1, 1], [1]), data: new Float32Array(0) })),
    /0/,
  ],
  ['NaN in the last tensor', update('site-2', 1, model(1, 1, Number.NaN)), /'b' is not finite at element 0/],
  ['an infinite number', update('site-2', 1, model(1, Number.NEGATIVE_INFINITY, 1)), /'a' is not finite at element 1/],
  ['a second update of a site', update('site-1', 1, good), /taken before/],
];

describe('an update that is refused', () => {
  const begun = (): DirectAggregator => {
    const mean = weightedMean(options);
    mean.add(update('site-1', 3, model(1, 2, 3)));
    return mean;
  };

  it.each(bad)('names what is wrong and leaves no trace: %s', (_, wrong, message) => {
    const mean = begun();
    expect(() => mean.add(wrong)).toThrow(message);
    expect(mean.contributions()).toEqual([{ site: 'site-1', steps: 3 }]);
    mean.add(update('site-2', 1, good));
    const expected = begun();
    expected.add(update('site-2', 1, good));
    expect(numbers(mean.finish())).toEqual(numbers(expected.finish()));
  });

  it('comes after the round is over', () => {
    const mean = begun();
    const result = mean.finish();
    expect(() => mean.add(update('site-2', 1, good))).toThrow(/the round is over/);
    expect(mean.finish()).toBe(result);
  });
});
