import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labelsToRegions } from '../brats/labels';
import { loadTrainingCase } from '../brats/training';
import { checkDisjoint, loadDatalist } from '../datalist';
import { readNifti } from '../nifti/read-nifti';
import { drawCase } from './draw-case';
import { planCases } from './plan-cases';
import { type BratsPhantomOptions, writeBratsPhantom } from './write-brats-phantom';

let root: string;
let small: BratsPhantomOptions;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'phantom-'));
  small = { out: join(root, 'small'), sites: 4, casesPerSite: 2, validationCases: 2, shape: [36, 40, 32], seed: 5 };
  await writeBratsPhantom(small);
});
afterAll(() => rm(root, { recursive: true }));

/** One digest of all files and their names. */
async function digest(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const entry of (await readdir(folder, { recursive: true, withFileTypes: true })).sort(byPath)) {
    if (!entry.isFile()) continue;
    hash.update(entry.name).update(await readFile(join(entry.parentPath, entry.name)));
  }
  return hash.digest('hex');
}

function byPath(a: { parentPath: string; name: string }, b: { parentPath: string; name: string }): number {
  return join(a.parentPath, a.name) < join(b.parentPath, b.name) ? -1 : 1;
}

describe('the phantom on disk', () => {
  it('has BraTS18 folders, five datalists with a shared validation list, and disjoint training lists', async () => {
    const { baseDir, datalistDir } = await writeBratsPhantom(small);
    expect((await readdir(datalistDir)).sort()).toEqual([
      'site-1.json',
      'site-2.json',
      'site-3.json',
      'site-4.json',
      'site-All.json',
    ]);
    const load = (name: string, list: 'training' | 'validation') =>
      loadDatalist(join(datalistDir, `${name}.json`), { list, baseDir });
    const all = await load('site-All', 'training');
    const validation = await load('site-All', 'validation');
    const sites = await Promise.all([1, 2, 3, 4].map((i) => load(`site-${i}`, 'training')));
    expect(sites.flat()).toEqual(all);
    expect(all).toHaveLength(8);
    expect(await load('site-3', 'validation')).toEqual(validation);
    expect(new Set(all.map(({ label }) => label)).size).toBe(8);
    checkDisjoint('site-All.json', all, validation);
    expect(all[0]!.image[0]).toMatch(/training\/HGG\/(Brats18_PHANTOM01_001_1)\/\1_t1ce\.nii\.gz$/);
  });

  it('has images as BraTS stores them, that load as a case', async () => {
    const { baseDir, datalistDir } = await writeBratsPhantom(small);
    const [item] = await loadDatalist(join(datalistDir, 'site-2.json'), { list: 'training', baseDir });
    const flair = await readNifti(item!.image[3]!);
    expect(flair.dtypeOnDisk).toBe('int16');
    expect(flair.affine).toEqual([
      [-1, 0, 0, 0],
      [0, -1, 0, 39],
      [0, 0, 1, 0],
      [0, 0, 0, 1],
    ]);
    const loaded = await loadTrainingCase(item!);
    expect(loaded.image.shape).toEqual([4, 36, 40, 32]);
    // The skull is stripped: the same voxels are 0 in all modalities.
    const background = (c: number) =>
      loaded.image.data.subarray(c * 46080, (c + 1) * 46080).map((v) => (v === 0 ? 1 : 0));
    expect(background(1)).toEqual(background(0));
    expect(background(3)).toEqual(background(0));
  });

  it('is the same, byte for byte, for the same options, and differs for another seed', async () => {
    const again = await writeBratsPhantom({ ...small, out: join(root, 'again') });
    const other = await writeBratsPhantom({ ...small, out: join(root, 'other'), seed: 6 });
    expect(await digest(again.baseDir)).toBe(await digest(small.out));
    expect(await digest(other.baseDir)).not.toBe(await digest(small.out));
  });

  it('is reused, and never written over', async () => {
    const before = await digest(small.out);
    expect((await writeBratsPhantom(small)).reused).toBe(true);
    await expect(writeBratsPhantom({ ...small, seed: 7 })).rejects.toThrow(
      'already holds a phantom with other options',
    );
    const precious = join(root, 'precious');
    await mkdir(precious);
    await writeFile(join(precious, 'thesis.txt'), 'x');
    await expect(writeBratsPhantom({ ...small, out: precious })).rejects.toThrow(
      'already holds files that are no phantom',
    );
    expect(await readdir(precious)).toEqual(['thesis.txt']);
    expect(await digest(small.out)).toBe(before);
  });

  it('goes into an empty folder and leaves nothing else behind', async () => {
    const empty = join(root, 'empty');
    await mkdir(empty);
    await writeBratsPhantom({ ...small, out: empty, sites: 1, casesPerSite: 1, validationCases: 1 });
    expect((await readdir(empty)).sort()).toEqual(['datalist', 'phantom.json', 'training']);
    expect((await readdir(root)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('says when the folder cannot be written', async () => {
    const file = join(root, 'file');
    await writeFile(file, '');
    await expect(writeBratsPhantom({ ...small, out: join(file, 'x') })).rejects.toThrow(
      /Cannot .* a part of the path is a file/,
    );
  });

  it.each([
    [{ sites: 0 }, "The phantom's sites is 0"],
    [{ casesPerSite: 1.5 }, "The phantom's casesPerSite is 1.5"],
    [{ seed: -1 }, "The phantom's seed is -1"],
    [{ shape: [64, 64, 31] as const }, "The phantom's shape is 64 64 31, expected three extents from 32 to 512"],
  ])('refuses options out of range: %o', async (options, message) => {
    await expect(writeBratsPhantom({ ...small, ...options })).rejects.toThrow(message);
  });
});

describe('the mix of cases', () => {
  it('is that of BraTS18: two sites of high grade, one mixed, one mostly low, low grades without enhancement among them', () => {
    const cases = planCases({ sites: 4, casesPerSite: 6, validationCases: 4 });
    const low = (site: number) => cases.filter((one) => one.site === site && one.grade === 'LGG').length;
    expect([1, 2, 3, 4, 0].map(low)).toEqual([0, 0, 1, 5, 1]);
    expect(cases.some((one) => one.site === 4 && one.enhancing)).toBe(true);
    expect(cases.some((one) => one.site === 0 && !one.enhancing)).toBe(true);
  });
});

describe('a drawn case', () => {
  const draw = (grade: 'HGG' | 'LGG', enhancing: boolean, seed: number) =>
    drawCase({ size: [48, 48, 32], grade, enhancing, scanner: seed, seed });

  it('has regions large enough to learn: core and enhancement of high grades, core of low grades', () => {
    for (let seed = 0; seed < 12; seed++) {
      const high = regionSizes(draw('HGG', true, seed).labels);
      expect(high.wt).toBeGreaterThan(600);
      expect(high.tc).toBeGreaterThan(250);
      expect(high.et).toBeGreaterThan(150);
      expect(high.tc - high.et).toBeGreaterThan(10);
      const low = regionSizes(draw('LGG', false, seed).labels);
      expect(low.tc).toBeGreaterThan(300);
      expect(low.et).toBe(0);
      expect(regionSizes(draw('LGG', true, seed).labels).et).toBeGreaterThan(20);
    }
  });

  it('has the contrasts of a glioma: edema bright in FLAIR, rim bright in T1ce, core dark in T1', () => {
    const { images, labels } = draw('HGG', true, 0);
    const mean = (data: Int16Array, keep: (label: number) => boolean): number => {
      const kept = data.filter((value, i) => value > 0 && keep(labels[i]!));
      return kept.reduce((a, b) => a + b, 0) / kept.length;
    };
    const healthy = (label: number): boolean => label === 0;
    expect(mean(images.flair, (l) => l === 2) / mean(images.flair, healthy)).toBeGreaterThan(1.5);
    expect(mean(images.t1ce, (l) => l === 4) / mean(images.t1ce, healthy)).toBeGreaterThan(1.5);
    expect(mean(images.t1, (l) => l === 1) / mean(images.t1, healthy)).toBeLessThan(0.7);
    expect(mean(images.t2, (l) => l === 2) / mean(images.t2, healthy)).toBeGreaterThan(1.3);
  });
});

function regionSizes(labels: Uint8Array): { tc: number; wt: number; et: number } {
  const regions = labelsToRegions(Float32Array.from(labels));
  const n = labels.length;
  const count = (c: number): number => regions.subarray(c * n, (c + 1) * n).reduce((a, b) => a + b, 0);
  return { tc: count(0), wt: count(1), et: count(2) };
}
