import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TrainingSample } from '../../executors/case-source';
import { writeBratsPhantom } from '../../imaging/phantom/write-brats-phantom';
import { type LoaderClient, startLoader } from './loader-client';
import type { SiteVolumes } from './loader-messages';

let folder: string;
let good: SiteVolumes;
let loader: LoaderClient;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'consilium-loader-'));
  const out = join(folder, 'data');
  const { datalistDir } = await writeBratsPhantom({
    out,
    sites: 1,
    casesPerSite: 4,
    validationCases: 2,
    shape: [32, 32, 32],
    seed: 0,
  });
  const datalist = join(datalistDir, 'site-1.json');
  good = { kind: 'volumes', site: 'good', seed: 0, datalist, baseDir: out, roi: [16, 16, 16], cacheRate: 0 };
  loader = startLoader([good, ...(await brokenSites(8))], () => {});
});
afterAll(async () => {
  await loader.close();
  await rm(folder, { recursive: true });
});

/** Sites whose second training case has a truncated label; the seeds put it at different places of the epoch. */
async function brokenSites(count: number): Promise<SiteVolumes[]> {
  const list = JSON.parse(await readFile(good.datalist, 'utf8'));
  const label = join(good.baseDir, list.training[1].label);
  const bytes = await readFile(label);
  list.training[1].label = list.training[1].label.replace('_seg', '_broken');
  await writeFile(label.replace('_seg', '_broken'), bytes.subarray(0, bytes.length / 2));
  const datalist = join(folder, 'broken.json');
  await writeFile(datalist, JSON.stringify(list));
  return Array.from({ length: count }, (_, seed) => ({ ...good, site: `broken-${seed}`, seed, datalist }));
}

async function samplesOf(site: string, epochs = 1): Promise<TrainingSample[]> {
  const stream = loader.source(site).training(0, epochs);
  const samples: TrainingSample[] = [];
  try {
    for await (const sample of stream) samples.push(sample);
  } finally {
    stream.close();
  }
  return samples;
}

describe('the loader', () => {
  it('gives every case of every epoch once, in an order of its own for each epoch', async () => {
    const samples = await samplesOf('good', 3);
    expect(samples).toHaveLength(12);
    expect(samples[0]!.image).toHaveLength(4 * 16 ** 3);
    expect(samples[0]!.label).toHaveLength(3 * 16 ** 3);
  });

  it('gives the same samples again for the same seed and round', async () => {
    const [first, second] = [await samplesOf('good'), await samplesOf('good')];
    expect(second.map(({ image }) => image)).toEqual(first.map(({ image }) => image));
  });

  it('gives the validation cases that are asked for', async () => {
    const source = loader.source('good');
    const { training, validation } = await source.lists();
    expect([training, validation.length]).toEqual([4, 2]);
    const names: string[] = [];
    for await (const { name } of source.validation([1])) names.push(name);
    expect(names).toHaveLength(1);
  });

  it('never ends a stream early because of a bad file: it fails, naming the file, wherever the case stands', async () => {
    for (let seed = 0; seed < 8; seed++) {
      await expect(samplesOf(`broken-${seed}`)).rejects.toMatchObject({
        tag: 'DataError',
        message: expect.stringContaining('_broken.nii.gz'),
      });
    }
  });

  it('goes on after a stream that was closed before its end', async () => {
    const stream = loader.source('good').training(0, 5);
    for await (const _ of stream) break;
    stream.close();
    expect(await samplesOf('good')).toHaveLength(4);
  });
});
