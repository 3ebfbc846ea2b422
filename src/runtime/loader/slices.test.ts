import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SliceBatch, SliceCase } from '../../executors/slice-source';
import { readNpy } from '../../imaging/npy/read-npy';
import { writeMultiContrastPhantom } from '../../imaging/phantom/multi-contrast/write-multi-contrast-phantom';
import { type LoaderClient, startLoader } from './loader-client';
import type { SiteSlices } from './loader-messages';

let folder: string;
let loader: LoaderClient;
const warnings: string[] = [];

const common = { kind: 'slices', seed: 0, centralized: false, source: 't1', target: 't2', cacheRate: 0 } as const;

function sites(): SiteSlices[] {
  const at = (site: string) => join(folder, site);
  return [
    { ...common, site: 'one', folder: at('site-1'), normalisation: 'slice-max' },
    { ...common, site: 'cached', folder: at('site-1'), normalisation: 'slice-max', cacheRate: 1 },
    { ...common, site: 'raw', folder: at('site-4'), normalisation: 'none' },
    { ...common, site: 'all', folder: at('{site}'), normalisation: 'slice-max', centralized: true, target: 'flair' },
    { ...common, site: 'none', folder: at('site-5'), normalisation: 'none', target: 'flair' },
  ];
}

beforeAll(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'consilium-slices-')), 'data');
  await writeMultiContrastPhantom({ out: folder, sites: 5, patientsPerSite: 3, shape: [32, 40, 10], seed: 1 });
  loader = startLoader(sites(), (site, message) => warnings.push(`${site}: ${message}`));
});
afterAll(async () => {
  await loader.close();
  await rm(join(folder, '..'), { recursive: true });
});

async function batchesOf(site: string, { epochs = 1, batchSize = 4, round = 0 } = {}): Promise<SliceBatch[]> {
  const batches: SliceBatch[] = [];
  for await (const batch of loader.slices(site).training(round, epochs, batchSize)) batches.push(batch);
  return batches;
}

async function casesOf(site: string, split: 'validation' | 'test'): Promise<SliceCase[]> {
  const cases: SliceCase[] = [];
  for await (const one of loader.slices(site).cases(split)) cases.push(one);
  return cases;
}

describe('the slices of a site', () => {
  it('come in batches, each slice once an epoch, the last batch with what is left', async () => {
    const { train, shape } = await loader.slices('one').lists();
    expect(shape).toEqual([1, 32, 40]);
    const batches = await batchesOf('one', { epochs: 2 });
    const perEpoch = Math.ceil(train / 4);
    expect(batches.map(({ shape: [n] }) => n)).toEqual(
      Array.from({ length: 2 * perEpoch }, (_, i) => (i % perEpoch < perEpoch - 1 ? 4 : train - 4 * (perEpoch - 1))),
    );
    const sums = (from: SliceBatch[]) => from.flatMap(slicesOf).map(sumOf).sort();
    expect(new Set(sums(batches.slice(0, perEpoch))).size).toBe(train);
    expect(sums(batches.slice(perEpoch))).toEqual(sums(batches.slice(0, perEpoch)));
  });

  it('are in the order of the seed: the same again for a round, another for the next, whatever is kept in memory', async () => {
    const [first, again, cached, next] = await Promise.all([
      batchesOf('one'),
      batchesOf('one'),
      batchesOf('cached'),
      batchesOf('one', { round: 1 }),
    ]);
    expect(again).toEqual(first);
    expect(await batchesOf('one')).toEqual(first);
    expect(cached).not.toEqual(first); // The site's name is part of its seed.
    expect(await batchesOf('cached')).toEqual(cached);
    expect(next).not.toEqual(first);
  });

  it('have masks where the site has them, and are as they are on disk when nothing normalises them', async () => {
    const [ill] = await casesOf('one', 'validation');
    expect(ill!.source).toHaveLength(32 * 40);
    expect(Math.max(...ill!.source)).toBe(1);
    expect(Math.max(...ill!.target)).toBe(1);
    expect([...new Set(ill!.mask)].sort()).toEqual([0, 1]);
    const healthy = await casesOf('raw', 'test');
    for (const { name, source, target, mask } of healthy) {
      expect(mask).toBeUndefined();
      expect(source).toEqual((await readNpy(join(folder, 'site-4', 'test', 't1', `${name}.npy`))).data);
      expect(target).toEqual((await readNpy(join(folder, 'site-4', 'test', 't2', `${name}.npy`))).data);
    }
    expect((await loader.slices('raw').lists()).test).toHaveLength(healthy.length);
  });

  it('are those of all sites that have both contrasts for the centralised baseline, which says whom it left out', async () => {
    const names = (await casesOf('all', 'validation')).map(({ name }) => name.split('/')[0]);
    expect([...new Set(names)]).toEqual(['site-1', 'site-2', 'site-3', 'site-4']);
    expect(warnings).toEqual([expect.stringMatching(/^all: without slices in t1 and flair, .*site-5$/)]);
  });

  it('fail with the folder that is missing', async () => {
    await expect(loader.slices('none').lists()).rejects.toMatchObject({
      tag: 'DataError',
      message: expect.stringContaining(join('site-5', 'train', 'flair')),
    });
  });
});

function slicesOf({ source, shape: [n, c, h, w] }: SliceBatch): Float32Array[] {
  return Array.from({ length: n }, (_, i) => source.subarray(i * c * h * w, (i + 1) * c * h * w));
}

function sumOf(slice: Float32Array): number {
  return slice.reduce((a, b) => a + b, 0);
}
