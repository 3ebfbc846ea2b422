import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import golden from '../../test/golden/statistics.json';
import { partsOf } from '../../test/support/workflow-rig';
import { isConsiliumError } from '../errors';
import { createSite } from '../executors/site';
import { statisticsExecutor } from '../executors/statistics/statistics-executor';
import { seededTestNoise } from '../privacy/seeded-test-noise';
import type { Update } from '../protocol/messages';
import type { Payload } from '../protocol/payload';
import type { Cleansers } from '../statistics/cleansers';
import type { FederatedStatistics } from '../statistics/result';
import { statisticsOf } from '../statistics/statistics-of';
import type { Tensor } from '../tensor/tensor';
import type { SiteLink } from '../transport/in-memory';
import { type FedStatsSpec, fedStats } from './fed-stats';
import type { RoundReport, WorkflowState } from './workflow';

/** Values of the features of a site. */
type Table = Readonly<Record<string, readonly number[]>>;

const open: Cleansers = { minCount: 1, minNoiseLevel: 0, maxNoiseLevel: 1e-9, maxBinsPercent: 1e6 };
const all: FedStatsSpec = {
  statistics: ['count', 'failure-count', 'sum', 'mean', 'stddev', 'min', 'max', 'histogram', 'quantiles'],
  bins: 10,
  ranges: {},
  quantiles: [0.25, 0.5, 0.75],
  minSites: 1,
  roundDeadlineSeconds: 60,
};
const start: WorkflowState = { round: 0, model: new Map(), memory: new Map() };

function linkOf(name: string, table: () => Table, cleansers: Cleansers): SiteLink {
  const features = () => Object.entries(table()).map(([feature, values]) => ({ feature, values }));
  const noise = () => seededTestNoise(5, name);
  const site = createSite({
    name,
    executor: statisticsExecutor({ source: { features }, cleansers, noise, log: () => {} }),
    filtersIn: [],
    filtersOut: [],
    store: { load: async () => undefined, save: async () => {} },
    ledger: { spent: () => 0, booked: () => [], charge: async () => {} },
    noise,
  });
  return { name, run: async (task, signal) => (await site.run(task, { signal, progress: () => {} })).update };
}

interface Setting extends Partial<FedStatsSpec> {
  readonly cleansers?: Cleansers;
  readonly links?: (links: readonly SiteLink[]) => readonly SiteLink[];
}

async function reportsOf(tables: Readonly<Record<string, Table | (() => Table)>>, setting: Setting = {}, from = start) {
  const { cleansers = open, links = (all) => all, ...over } = setting;
  const made = Object.entries(tables).map(([name, table]) =>
    linkOf(name, typeof table === 'function' ? table : () => table, cleansers),
  );
  const reports: RoundReport[] = [];
  const workflow = fedStats({ ...all, ...over }, from, {
    ...partsOf(links(made)),
    aggregator: () => {
      throw new Error('statistics are not aggregated');
    },
  });
  for await (const report of workflow) reports.push(report);
  return reports;
}

async function statistics(...given: Parameters<typeof reportsOf>): Promise<FederatedStatistics> {
  const reports = await reportsOf(...given);
  return statisticsOf(reports.at(-1)?.results ?? {})!;
}

describe.each(golden)("statistics of three sites are NumPy's of the pooled values: $name", (fixture) => {
  const { values, range, bins, sum, mean, std, counts, probabilities, quantiles } = fixture;
  const tables = { a: { x: values.slice(0, 90) }, b: { x: values.slice(90, 100) }, c: { x: values.slice(100) } };
  const ranges = { x: [range[0]!, range[1]!] as const };

  it('count and sum exactly, mean and standard deviation to the last bits, bins one by one', async () => {
    const { features } = await statistics(tables, { ranges, bins });
    const found = features.x!.global!;
    expect(found.count).toBe(values.length);
    expect(found.sum).toBe(sum);
    expect(Math.abs(found.mean! - mean)).toBeLessThanOrEqual(1e-15 * Math.abs(mean));
    expect(Math.abs(found.stddev! - std)).toBeLessThanOrEqual(1e-12 * std);
    expect(found.histogram!.counts).toEqual(counts);
  });

  it('quantiles to the width of a bin that the result states', async () => {
    const { features } = await statistics(tables, { ranges, bins, quantiles: probabilities });
    const { values: found, within } = features.x!.global!.quantiles!;
    for (const [i, p] of probabilities.entries()) {
      const expected = quantiles[i]!;
      if (expected < range[0]! || expected > range[1]!) expect(found[p]).toBeNull();
      else expect(Math.abs(found[p]! - expected)).toBeLessThanOrEqual(within * (1 + 1e-9));
    }
  });
});

const number = fc.double({ noNaN: true, min: -1e6, max: 1e6 });

it('whatever site a value lies at, the numbers of all sites are the same', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(3), number), { minLength: 2, maxLength: 40 }), async (values) => {
      const ranges = { x: [-1e5, 1e5] as const };
      const split: Record<string, { x: number[] }> = {};
      for (const [site, value] of values) {
        split[`s${site}`] = { x: [...(split[`s${site}`]?.x ?? []), value] };
      }
      const wanted = all.statistics.filter((name) => name !== 'min' && name !== 'max' && name !== 'quantiles');
      const setting = { ranges, statistics: wanted };
      const federated = await statistics(split, setting);
      const pooled = await statistics({ all: { x: values.map(([, value]) => value) } }, setting);
      expect(federated.features.x!.global).toEqual(pooled.features.x!.global);
    }),
    { seed: 8, numRuns: 60 },
  );
});

describe('the range of all values', () => {
  it('comes with noise from the sites and holds every value', async () => {
    const cleansers = { ...open, minNoiseLevel: 0.1, maxNoiseLevel: 0.3 };
    const { features } = await statistics({ a: { x: [10, 20] }, b: { x: [40, 100] } }, { cleansers, bins: 1 });
    const { min, max, histogram } = features.x!.global!;
    expect(min).toBeGreaterThanOrEqual(7);
    expect(min).toBeLessThanOrEqual(9);
    expect(max).toBeGreaterThanOrEqual(110);
    expect(max).toBeLessThanOrEqual(130);
    expect(histogram).toEqual({ edges: [min, max], counts: [4], below: 0, above: 0 });
  });

  it('may be given; values outside are counted apart', async () => {
    const { features } = await statistics({ a: { x: [-5, 1, 2, 50] } }, { ranges: { x: [0, 10] }, bins: 2 });
    expect(features.x!.global!.histogram).toEqual({ edges: [0, 5, 10], counts: [2, 0], below: 1, above: 1 });
  });
});

describe('what a site holds back', () => {
  const many = Array.from({ length: 200 }, (_, i) => i);
  const cleansers: Cleansers = { minCount: 10, minNoiseLevel: 0.1, maxNoiseLevel: 0.3, maxBinsPercent: 10 };

  it('is null for the site and not part of the numbers of all', async () => {
    const tables = { a: { x: many }, b: { x: [1, 2, 3] }, c: { y: many } };
    const { features, notice } = await statistics(tables, { cleansers });
    expect(features.x!.sites).toMatchObject({ a: { count: 200 }, b: null, c: null });
    expect(features.x!.global!.count).toBe(200);
    expect(notice).toMatch(/^Not differentially private/);
  });

  it('may be a histogram alone', async () => {
    const { features } = await statistics({ a: { x: many }, b: { x: many.slice(0, 50) } }, { cleansers, bins: 20 });
    expect(features.x!.sites.b).toMatchObject({ count: 50, histogram: null });
    expect(features.x!.global!.count).toBe(250);
    expect(features.x!.global!.histogram!.counts.reduce((a, b) => a + b)).toBe(200);
    expect(features.x!.global!.quantiles!.within).toBeGreaterThan(199 / 5); // Five bins: a tenth of the 50 values.
  });

  it('ends the run when it is everything', async () => {
    await expect(statistics({ a: { x: [1] }, b: {} }, { cleansers })).rejects.toThrow(/No site gave statistics/);
  });
});

it('shows a feature that was asked for and that nobody has', async () => {
  const { features } = await statistics({ a: { x: [1, 2] } }, { features: ['x', 'z'] });
  expect(features.z).toEqual({ global: null, sites: { a: null } });
});

it('asks once when sums are all that is wanted, and for no more than that', async () => {
  const names: string[] = [];
  const spy = (links: readonly SiteLink[]) => links.map((link) => ({ ...link, run: spied(link, names) }));
  const reports = await reportsOf({ a: { x: [1, 2] } }, { statistics: ['count', 'mean'], links: spy });
  expect(reports.map(({ round, final }) => [round, final])).toEqual([[0, true]]);
  expect(names).toEqual(['x/count', 'x/sum']);
  expect(statisticsOf(reports[0]!.results!)!.features.x!.global).toEqual({ count: 2, mean: 1.5 });
});

function spied(link: SiteLink, names: string[]): SiteLink['run'] {
  return async (task, signal) => {
    const update = await link.run(task, signal);
    names.push(...update.payload.tensors.keys());
    return update;
  };
}

describe('an answer is refused as a whole', () => {
  /** Site `b` answers otherwise. */
  const lying = (change: (update: Update) => Payload) => (links: readonly SiteLink[]) =>
    links.map((link): SiteLink => {
      if (link.name !== 'b') return link;
      return {
        ...link,
        run: async (task, signal) => {
          const update = await link.run(task, signal);
          return { ...update, payload: change(update) };
        },
      };
    });
  const tables = { a: { x: [1, 2] }, b: { x: [3, 4] } };

  it('of another kind', async () => {
    const links = lying(({ payload }) => ({ ...payload, kind: 'metrics' }));
    const [first] = await reportsOf(tables, { links });
    expect(first!.sites[1]).toMatchObject({ site: 'b', status: 'rejected', reason: /it is 'metrics'/ });
  });

  it('that lacks what was asked for', async () => {
    const links = lying(({ payload }) => ({ ...payload, tensors: new Map([...payload.tensors].slice(0, 1)) }));
    const [first] = await reportsOf(tables, { links });
    expect(first!.sites[1]!.reason).toMatch(/'x' lacks its failures/);
  });

  it('when the data changed between the questions, and the site then has no part at all', async () => {
    let asked = 0;
    const b = () => ({ x: asked++ === 0 ? [3, 4] : [3, 4, 5] });
    const reports = await reportsOf({ a: { x: [1, 2] }, b });
    expect(reports[1]!.sites[1]!.reason).toMatch(/2 values at the first question and 3 at the second/);
    expect(statisticsOf(reports[1]!.results!)!.features.x).toMatchObject({ global: { count: 2 }, sites: { b: null } });
  });
});

it('goes on from the memory of the first question', async () => {
  const tables = { a: { x: [1, 2] }, b: { x: [5, 9] }, c: {} };
  const reports = await reportsOf(tables);
  const resumed = await reportsOf(tables, {}, reports[0]!.state);
  expect(resumed).toHaveLength(1);
  expect(resumed[0]!.results).toEqual(reports[1]!.results);
  expect(reports[1]!.state.memory.size).toBe(0);
});

it('a site that is given another task says what it is for', async () => {
  const { run } = linkOf('a', () => ({}), open);
  const task = { kind: 'train', round: 0, model: new Map() };
  const signal = new AbortController().signal;
  await expect(run(task, signal)).rejects.toSatisfy((error) => isConsiliumError(error, 'ConfigError'));
  const wrong = {
    kind: 'statistics',
    round: 1,
    model: new Map<string, Tensor>([['x/edges', { dtype: 'float64', shape: [1], data: new Float64Array(1) }]]),
    settings: { ask: 'spread' },
  } as const;
  await expect(run(wrong, signal)).rejects.toThrow(/unknown name 'x\/edges'/);
});
