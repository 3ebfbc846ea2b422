import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { phantomScanners, phantomSiteHas } from '../../../jobs/data-spec';
import { readNpy } from '../../npy/read-npy';
import { type Contrast, listSlices, splits } from '../../slices/layout';
import { drawPatient } from './draw-patient';
import { signalOf } from './signal';
import { phantomSite } from './sites';
import { type FieldStrength, type TissueName, tissueNames, tissues } from './tissues';
import { writeMultiContrastPhantom } from './write-multi-contrast-phantom';

let root: string;
const small = { sites: 6, patientsPerSite: 4, shape: [40, 44, 12], seed: 3 } as const;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'consilium-phantom-'));
  await writeMultiContrastPhantom({ ...small, out: join(root, 'data') });
});
afterAll(() => rm(root, { recursive: true }));

describe('the signal', () => {
  it('of a spin echo is hand-computed: PD · (1 − e^(−TR/T1)) · e^(−TE/T2)', () => {
    const tissue = { t1: 500, t2: 70, protonDensity: 0.77 };
    // 0.77 · (1 − e^−1) · e^−0.2
    expect(signalOf(tissue, { kind: 'spin-echo', repetition: 500, echo: 14 })).toBeCloseTo(0.398503, 6);
  });

  it('of an inversion recovery vanishes for the T1 that its inversion time nulls, and is a magnitude before', () => {
    const sequence = { kind: 'inversion-recovery', repetition: 9000, echo: 100, inversion: 1700 } as const;
    const signal = (t1: number) => signalOf({ t1, t2: 100, protonDensity: 1 }, sequence);
    // TI = T1 · (ln 2 − ln(1 + e^(−TR/T1)))
    const nulling = (t1: number) => t1 * (Math.log(2) - Math.log(1 + Math.exp(-9000 / t1)));
    let [low, high] = [500, 5000];
    while (high - low > 1e-9)
      [low, high] = nulling((low + high) / 2) < 1700 ? [(low + high) / 2, high] : [low, (low + high) / 2];
    expect(signal(low)).toBeLessThan(1e-9);
    expect(signal(low * 1.3)).toBeGreaterThan(0.01);
    expect(signal(low / 1.3)).toBeGreaterThan(0.01);
  });

  it.each([0, 1, 2, 3, 4, 5])("orders tissues as radiologists know them, with each site's times: site %i", (i) => {
    const { field, sequences } = phantomSite(i);
    const of = (contrast: Contrast) => signalsAt(field, contrast);
    const signalsAt = (at: FieldStrength, contrast: Contrast) => {
      const entries = tissueNames.map((name) => [name, signalOf(tissues[at][name], sequences[contrast]!)]);
      return Object.fromEntries(entries) as Record<TissueName, number>;
    };
    const [t1, t2] = [of('t1'), of('t2')];
    expect(t1.white).toBeGreaterThan(t1.grey);
    expect(t1.grey).toBeGreaterThan(t1.fluid);
    expect(t1.white).toBeGreaterThan(t1.tumour);
    expect(t2.fluid).toBeGreaterThan(t2.grey);
    expect(t2.grey).toBeGreaterThan(t2.white);
    expect(t2.edema).toBeGreaterThan(t2.grey);
    if (!sequences.flair) return;
    const flair = of('flair');
    expect(flair.fluid).toBeLessThan(0.4 * flair.white);
    expect(flair.edema).toBeGreaterThan(flair.grey);
    expect(flair.grey).toBeGreaterThan(flair.white);
  });
});

describe('the multi-contrast phantom', () => {
  it('has what its sites have: masks where there are tumours, FLAIR at the first four of six', async () => {
    for (let i = 0; i < small.sites; i++) {
      const folder = join(root, 'data', `site-${i + 1}`);
      const expected = ['t1', 't2', ...(i < 4 ? ['flair'] : []), ...(i < 3 ? ['mask'] : [])].sort();
      for (const split of splits) expect((await readdir(join(folder, split))).sort()).toEqual(expected);
      expect(phantomSiteHas(i, { source: 't1', target: 'flair' })).toBe(existsSync(join(folder, 'train', 'flair')));
      expect(phantomSite(i)).toEqual(phantomSite(i + phantomScanners.count));
    }
  });

  it('splits by patient, and keeps slices that are not mostly dark', async () => {
    const patients: string[][] = [];
    for (const split of splits) {
      const slices = await listSlices(join(root, 'data', 'site-1'), split, { source: 't1', target: 'flair' });
      patients.push([...new Set(slices.map(({ patient }) => patient))]);
      for (const { source, target, mask } of slices) {
        const [t1, flair, ill] = await Promise.all([readNpy(source), readNpy(target), readNpy(mask!)]);
        expect(t1.shape).toEqual([40, 44]);
        expect(t1.typeOnDisk).toBe('u2');
        // The skull is stripped: outside the brain every contrast is 0, and no tumour is there.
        const outside = (data: Float32Array) => data.map((value) => (value === 0 ? 1 : 0));
        expect(outside(flair.data)).toEqual(outside(t1.data));
        expect(ill.data.some((value, p) => value === 1 && t1.data[p] === 0)).toBe(false);
      }
    }
    expect(patients).toEqual([['PHANTOM01_001', 'PHANTOM01_002'], ['PHANTOM01_003'], ['PHANTOM01_004']]);
  });

  it('is the same, byte for byte, for the same options, differs for another seed, and says that it is synthetic', async () => {
    const [again, other] = [join(root, 'again'), join(root, 'other')];
    await writeMultiContrastPhantom({ ...small, out: again });
    await writeMultiContrastPhantom({ ...small, out: other, seed: 4 });
    expect(await digest(again)).toBe(await digest(join(root, 'data')));
    expect(await digest(other)).not.toBe(await digest(again));
    expect(JSON.parse(await readFile(join(again, 'phantom.json'), 'utf8'))).toMatchObject({ synthetic: true, seed: 3 });
  });

  it('is reused, and never written over', async () => {
    const out = join(root, 'data');
    expect(await writeMultiContrastPhantom({ ...small, out })).toBe(true);
    await expect(writeMultiContrastPhantom({ ...small, out, seed: 9 })).rejects.toThrow('a phantom with other options');
    const precious = join(root, 'precious');
    await mkdir(precious);
    await writeFile(join(precious, 'thesis.txt'), 'x');
    await expect(writeMultiContrastPhantom({ ...small, out: precious })).rejects.toThrow('files that are no phantom');
    expect(await readdir(precious)).toEqual(['thesis.txt']);
  });

  it.each([
    [{ sites: 0 }, "The phantom's sites is 0"],
    [{ patientsPerSite: 2 }, "The phantom's patientsPerSite is 2, expected a whole number of at least 3"],
    [{ seed: -1 }, "The phantom's seed is -1"],
    [{ shape: [64, 64, 7] as const }, "The phantom's shape is 64 64 7, expected three extents from 32 32 8 to 512"],
  ])('refuses options out of range: %o', async (options, message) => {
    await expect(writeMultiContrastPhantom({ ...small, out: join(root, 'no'), ...options })).rejects.toThrow(message);
  });
});

describe('a drawn patient', () => {
  it('is one anatomy at any scanner: where fluid is, T2 is bright and FLAIR is not', () => {
    const { images } = drawPatient(phantomSite(3), { size: [48, 48, 16], patient: 0, seed: 5 });
    const [t2, flair] = [images.get('t2')!, images.get('flair')!];
    const byT2 = Array.from(t2.keys())
      .filter((i) => t2[i]! > 0)
      .sort((a, b) => t2[b]! - t2[a]!);
    const mean = (places: readonly number[]) => places.reduce((sum, i) => sum + flair[i]!, 0) / places.length;
    const brightest = byT2.slice(0, Math.floor(byT2.length / 50));
    expect(mean(brightest)).toBeLessThan(0.7 * mean(byT2));
  });

  it('of a site with tumours has one of a size to learn, bright in T2; a healthy one has none', () => {
    for (let patient = 0; patient < 4; patient++) {
      const { images, mask } = drawPatient(phantomSite(patient % 3), { size: [48, 48, 16], patient, seed: patient });
      const t2 = images.get('t2')!;
      const mean = (ill: number) => {
        const kept = t2.filter((value, i) => value > 0 && mask![i] === ill);
        return kept.reduce((a, b) => a + b, 0) / kept.length;
      };
      expect(mask!.reduce((a, b) => a + b, 0)).toBeGreaterThan(300);
      expect(mean(1)).toBeGreaterThan(1.15 * mean(0));
    }
    expect(drawPatient(phantomSite(4), { size: [48, 48, 16], patient: 0, seed: 0 }).mask).toBeUndefined();
  });
});

/** One digest of all files and their places. */
async function digest(folder: string): Promise<string> {
  const hash = createHash('sha256');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.sort()) hash.update(file.slice(folder.length)).update(await readFile(file));
  return hash.digest('hex');
}
