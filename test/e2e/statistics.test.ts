import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/jobs/environment';
import { readJobFile } from '../../src/jobs/job-file';
import { jobHash } from '../../src/jobs/job-spec';
import { FedStatsRecipe, type FedStatsRecipeOptions } from '../../src/recipes/fed-stats-recipe';
import { SimEnv } from '../../src/runtime/sim-env';
import { statisticsOf } from '../../src/statistics/statistics-of';
import { labValues } from '../support/parts/lab-values';

const example = resolve('examples', 'fed-stats');
const sites = ['st-marys', 'riverside', 'hilltop'];

/** The job of examples/fed-stats. */
const tables: FedStatsRecipeOptions = {
  name: 'fed-stats',
  sites,
  data: { kind: 'csv', path: './data/{site}.csv', columns: ['age', 'crp', 'tumour_ml'] },
  ranges: { age: [0, 100] },
  folder: example,
};

let workspace: string;
beforeAll(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'consilium-statistics-'));
});
afterAll(() => rm(workspace, { recursive: true }));

async function run(options: FedStatsRecipeOptions, more: { readonly resume?: boolean } = {}) {
  const started = new FedStatsRecipe(options).execute(new SimEnv({ workspace, testNoiseSeed: 1, ...more }));
  const events: RunEvent[] = [];
  for await (const event of started.events()) events.push(event);
  const result = await started.result();
  return { result, events, statistics: statisticsOf(result.results)! };
}

/** The numbers of a column, and how many fields of it are empty. */
function column(site: string, place: number): { numbers: number[]; empty: number } {
  const rows = readFileSync(join(example, 'data', `${site}.csv`), 'utf8')
    .trim()
    .split('\n')
    .slice(1);
  const fields = rows.map((row) => row.split(',')[place]!);
  return {
    numbers: fields.filter((field) => field !== '').map(Number),
    empty: fields.filter((one) => one === '').length,
  };
}

describe('statistics of tables', () => {
  it('are those of the pooled table, in the result, in a file and in the report; the YAML job is the same', async () => {
    const { result, statistics } = await run(tables);
    const crp = sites.map((site) => column(site, 2));
    const pooled = crp.flatMap(({ numbers }) => numbers);
    const mean = pooled.reduce((a, b) => a + b) / pooled.length;
    const variance = pooled.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (pooled.length - 1);
    const found = statistics.features.crp!.global!;
    expect(found).toMatchObject({ count: pooled.length, failureCount: crp.reduce((sum, { empty }) => sum + empty, 0) });
    expect(found.mean).toBeCloseTo(mean, 12);
    expect(found.stddev).toBeCloseTo(Math.sqrt(variance), 12);
    const sorted = pooled.toSorted((a, b) => a - b);
    const median = sorted[Math.ceil(sorted.length / 2) - 1]!;
    expect(Math.abs(found.quantiles!.values['0.5']! - median)).toBeLessThanOrEqual(found.quantiles!.within);
    expect(statistics.features.age!.global!.histogram!.edges).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    expect(Object.keys(statistics.features.age!.sites)).toEqual(sites);

    expect(JSON.parse(readFileSync(result.files.statistics!, 'utf8'))).toEqual(statistics);
    const report = readFileSync(result.files.report!, 'utf8');
    expect(report).toContain('Not differentially private');
    expect(report).toContain(`<td>${found.count}</td>`);
    const yaml = await readJobFile(join(example, 'stats.yaml'), { folder: example });
    expect(jobHash(yaml)).toBe(jobHash(new FedStatsRecipe(tables).job));
  });

  it('are found again by a run that is continued after its end', async () => {
    const first = await run({ ...tables, name: 'twice' });
    const again = await run({ ...tables, name: 'twice' }, { resume: true });
    expect(again.statistics).toEqual(first.statistics);
  });

  it('do not begin while a table is missing, and the message names it', async () => {
    const missing = { ...tables, name: 'missing', sites: [...sites, 'seaside'] };
    await expect(run(missing)).rejects.toThrow(/data\.path: the table '.*seaside\.csv' of seaside does not exist/);
  });

  it('tell the server nothing of a table that cannot be read, and the owner of the site everything', async () => {
    const text = { ...tables, name: 'text', data: { ...tables.data, columns: ['patient'] } } as FedStatsRecipeOptions;
    const error = await run(text).catch((one) => one);
    expect(error.message).toMatch(
      /st-marys failed: its data cannot be used \(DataError, in its 'statistics' task\); the site's log has the details/,
    );
    expect(error.message).not.toMatch(/st001/);
    expect(error.cause.message).toMatch(/line 2: column 'patient' holds '\w\w001', which is no number/);
  });
});

it('statistics of images count volumes as cases, and voxels of the head as values', async () => {
  const data = { kind: 'brats18-phantom', sites: 2, casesPerSite: 3, validationCases: 1, shape: [32, 32, 32] } as const;
  const images = { name: 'images', sites: 2, data: { ...data, shape: [32, 32, 32] as [number, number, number] } };
  const { statistics } = await run({ ...images, minCount: 3, features: ['FLAIR', 'T1'] });
  expect(Object.keys(statistics.features)).toEqual(['FLAIR', 'T1']);
  const { count, mean, histogram } = statistics.features.FLAIR!.global!;
  expect(count).toBeGreaterThan(6 * 1000);
  expect(count).toBeLessThan(6 * 32 ** 3);
  expect(mean).toBeGreaterThan(0);
  expect(histogram!.counts.reduce((a, b) => a + b)).toBe(count);
  await expect(run({ ...images, name: 'too-few' })).rejects.toThrow(/No site gave statistics of any feature/);
});

it("statistics of a user's own source: the site's log says what was held back", async () => {
  const own = { name: 'own', sites: 2, data: labValues({ count: 20 }), siteConfig: { 'site-1': 130, 'site-2': 140 } };
  const { statistics, events } = await run({ ...own, statistics: ['count', 'sum', 'mean'] });
  const sum = 20 * 130 + 20 * 140 + 2 * 190;
  expect(statistics.features).toEqual({
    sodium: expect.objectContaining({ global: { count: 40, sum, mean: sum / 40 } }),
  });
  const held = events.flatMap((event) => (event.kind === 'log' && event.site === 'site-2' ? [event.message] : []));
  expect(held).toEqual(["nothing of 'potassium' leaves: 1 cases, and minCount is 10"]);
});

describe('a job of statistics is refused', () => {
  it.each([
    ['without data', { data: { kind: 'none' } }, /statistics need data/],
    ['with exact minima', { minNoiseLevel: 0.2, maxNoiseLevel: 0.2 }, /more than minNoiseLevel, 0\.2/],
    ['with a range upside down', { ranges: { age: [9, 1] } }, /lowest edge, 9, is not below the highest, 1/],
    ['with a quantile that is none', { quantiles: [1.5] }, /quantiles/],
    [
      'with a filter for updates',
      { filters: [{ at: 'site-out', filter: { kind: 'svt', fraction: 0.1, epsilon: 1, noiseVar: 1, gamma: 1 } }] },
      /accepts weight-diff, metrics, but this job sends statistics there; remove the filter/,
    ],
    ['with a misspelt statistic', { statistics: ['meen'] }, /statistics/],
  ])('%s', (_, over, message) => {
    expect(() => new FedStatsRecipe({ ...tables, ...over } as FedStatsRecipeOptions)).toThrow(message);
  });
});
