import { mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeMultiContrastPhantom } from '../imaging/phantom/multi-contrast/write-multi-contrast-phantom';
import { checkImages } from './data-check';

let root: string;
let site: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'consilium-check-'));
  await writeMultiContrastPhantom({
    out: join(root, 'data'),
    sites: 2,
    patientsPerSite: 3,
    shape: [32, 32, 8],
    seed: 0,
  });
  site = join(root, 'data', 'site-1');
});
afterEach(() => rm(root, { recursive: true }));

const look = (more = {}) => checkImages([{ folder: site, centralized: false, source: 't1', target: 't2', ...more }]);

describe('a first look at slices', () => {
  it('names those that choose the best model, with their site where all sites are one', async () => {
    const { training, validation } = await look();
    expect(training).toHaveLength((await readdir(join(site, 'train', 't1'))).length);
    expect(validation[0]).toMatch(/^patient-PHANTOM01_002-slice\d$/);
    const all = await look({ folder: join(root, 'data', '{site}'), centralized: true });
    expect(new Set(all.validation.map((name) => name.split('-slice')[0]))).toEqual(
      new Set(['site-1/patient-PHANTOM01_002', 'site-2/patient-PHANTOM02_002']),
    );
  });

  it('finds a patient with slices in two splits, a slice without a partner and a first slice that is damaged', async () => {
    const [first, second] = await readdir(join(site, 'train', 't1'));
    for (const kind of ['t1', 't2', 'mask']) {
      await rename(join(site, 'train', kind, first!), join(site, 'test', kind, first!));
    }
    await expect(look()).rejects.toThrow(/patient 'PHANTOM01_001' has slices in train and in test/);
    for (const kind of ['t1', 't2', 'mask']) await rm(join(site, 'test', kind, first!));
    await look();
    await writeFile(join(site, 'train', 't1', second!), 'no numbers');
    await expect(look()).rejects.toThrow(/does not begin as an \.npy file does/);
    await rm(join(site, 'train', 't1', second!));
    await expect(look()).rejects.toThrow(/t2.*there is no slice of this name in .*t1/);
  });
});
