import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { identity } from '../affine';
import { encodeNifti } from '../nifti/write-nifti';
import { encodeNpy } from '../npy/write-npy';
import { findVolumes } from './find-volumes';
import { keptSlices } from './kept-slices';
import { listSlices } from './layout';
import { scaleFrom, scaleSlice } from './normalisation';
import { sliceReader } from './slice-reader';
import { splitPatients } from './split-patients';
import { writeSlices } from './write-slices';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'consilium-slices-'));
});
afterEach(() => rm(folder, { recursive: true }));

const wanted = { source: 't1', target: 't2' } as const;

async function put(path: string, data: Uint8Array | string = ''): Promise<string> {
  const file = join(folder, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, data);
  return file;
}

const slice = (values: readonly number[] = [0, 1, 2, 4], shape = [2, 2]) => encodeNpy(Float32Array.from(values), shape);

describe('the folders of slices', () => {
  it('are listed patient by patient, slice 10 after slice 9', async () => {
    for (const name of ['patient-b-slice9', 'patient-b-slice10', 'patient-a-slice-1-slice3', 'patient-a-slice11']) {
      await put(`train/t1/${name}.npy`);
      await put(`train/t2/${name}.npy`);
    }
    await put('train/t1/.DS_Store');
    const names = (await listSlices(folder, 'train', wanted)).map(({ name }) => name);
    expect(names).toEqual(['patient-a-slice11', 'patient-a-slice-1-slice3', 'patient-b-slice9', 'patient-b-slice10']);
  });

  it.each([
    [
      'a slice without its target',
      ['t1/patient-a-slice1.npy', 't2/patient-a-slice2.npy'],
      /patient-a-slice1\.npy: .*t2/,
    ],
    [
      'a target without its source',
      ['t1/patient-a-slice1.npy', 't2/patient-a-slice1.npy', 't2/patient-b-slice1.npy'],
      /patient-b-slice1\.npy: .*t1/,
    ],
    [
      'a slice without its mask',
      ['t1/patient-a-slice1.npy', 't2/patient-a-slice1.npy', 'mask/patient-b-slice1.npy'],
      /patient-a-slice1\.npy: .*mask/,
    ],
    ['a file of another name', ['t1/scan1.npy'], /scan1\.npy: a slice of this name is not known/],
    ['a number with zeros before it', ['t1/patient-a-slice01.npy'], /slice01\.npy: a slice of this name is not known/],
    ['no folder', [], /t1: there is no such folder/],
    ['an empty folder', ['t1/readme.txt'], /t1: the folder has no slices/],
  ])('with %s are refused, naming it', async (_, files, message) => {
    for (const file of files) await put(`train/${file}`);
    if (files.length < 2) await put('train/t2/patient-a-slice1.npy');
    await expect(listSlices(folder, 'train', wanted)).rejects.toMatchObject({
      tag: 'DataError',
      message: expect.stringMatching(message),
    });
  });

  it('hold slices of one size and of finite numbers; anything else is named', async () => {
    const put2 = async (name: string, source: Uint8Array) => {
      await put(`train/t1/patient-${name}-slice1.npy`, source);
      await put(`train/t2/patient-${name}-slice1.npy`, slice());
    };
    await put2('a', slice());
    await put2('b', slice([1, 2, 3, 4, 5, 6], [2, 3]));
    await put2('c', slice([1, 2, Number.NaN, 4]));
    await put2('d', slice([1, 2, 3, 4], [2, 2, 1]));
    const all = await listSlices(folder, 'train', wanted);
    const reader = sliceReader(all, 'slice-max');
    expect(await reader.size()).toEqual([2, 2]);
    expect((await reader.read(all[0]!)).source).toEqual(Float32Array.of(0, 0.25, 0.5, 1));
    await expect(reader.read(all[1]!)).rejects.toThrow(/patient-b-slice1\.npy: 2 × 3 pixels, but the first/);
    await expect(reader.read(all[2]!)).rejects.toThrow(/patient-c-slice1\.npy: NaN at row 1, column 0/);
    await expect(reader.read(all[3]!)).rejects.toThrow(/patient-d-slice1\.npy: shape \(2, 2, 1\)/);
  });
});

describe('scaling', () => {
  it.each(['slice-max', 'volume-max', 'percentile', 'z-score', 'none'] as const)(
    'leaves a slice without anything above 0 as it is: %s',
    (normalisation) => {
      const empty = new Float32Array(4);
      scaleSlice(empty, scaleFrom(normalisation, [empty]));
      expect(empty).toEqual(new Float32Array(4));
    },
  );

  it('does not depend on the unit of a scanner', () => {
    const values = fc.array(fc.integer({ min: 0, max: 4000 }), { minLength: 4, maxLength: 40 });
    const how = fc.constantFrom('slice-max', 'volume-max', 'percentile', 'z-score');
    fc.assert(
      fc.property(values, how, fc.constantFrom(0.5, 2, 1024), (numbers, normalisation, gain) => {
        const scaled = (factor: number) => {
          const data = Float32Array.from(numbers, (value) => value * factor);
          scaleSlice(data, scaleFrom(normalisation, [data.slice()]));
          return data;
        };
        if (numbers.every((value) => value === 0)) return;
        const [one, other] = [scaled(1), scaled(gain)];
        for (let i = 0; i < one.length; i++) expect(other[i]).toBeCloseTo(one[i]!, 5);
      }),
    );
  });
});

describe('patients', () => {
  it('go 75 / 10 / 15 by their place in the list', () => {
    const of = (count: number) => splitPatients(Array.from({ length: count }, (_, i) => i));
    const { train, validation, test } = of(100);
    expect([train.length, validation.length, test.length]).toEqual([75, 10, 15]);
    expect([...train, ...validation, ...test]).toEqual(Array.from({ length: 100 }, (_, i) => i));
    const counts = (count: number) => Object.values(of(count)).map(({ length }) => length);
    expect([3, 4, 5, 8, 10, 19, 41].map(counts)).toEqual([
      [1, 1, 1],
      [2, 1, 1],
      [3, 1, 1],
      [6, 1, 1],
      [7, 1, 2],
      [14, 1, 4],
      [30, 4, 7],
    ]);
    expect(() => of(2)).toThrow('2 patients, expected at least 3');
  });
});

describe('slices that are kept', () => {
  it('are those from the first to the last whose share of dark pixels is below the limit, both included', () => {
    // Five slices of 1 × 5 pixels, with 4, 3, 5, 3, 4 of them dark.
    const bright = [1, 2, 0, 2, 1];
    const data = Array.from({ length: 25 }, (_, i) => (Math.floor(i / 5) < bright[i % 5]! ? 1 : 9e-5));
    expect(keptSlices(data, [1, 5, 5], 0.8)).toEqual([1, 2, 3]);
    expect(keptSlices(data, [1, 5, 5], 0.81)).toEqual([0, 1, 2, 3, 4]);
    expect(keptSlices(data, [1, 5, 5], 0.6)).toEqual([]);
  });
});

describe('volumes of patients', () => {
  it('are told by the suffixes of BraTS, UCSF-PDGM and BIDS, and by folders of contrasts', async () => {
    for (const file of [
      'HGG/B_2/B_2_t1.nii.gz',
      'HGG/B_2/B_2_t1ce.nii.gz',
      'HGG/B_2/B_2_flair.nii',
      'HGG/B_2/B_2_seg.nii.gz',
      'GLI-1/GLI-1-t1n.nii.gz',
      'GLI-1/GLI-1-t1c.nii.gz',
      'GLI-1/GLI-1-t2f.nii.gz',
      'PDGM-3/PDGM-3_T1.nii.gz',
      'PDGM-3/PDGM-3_T2_FLAIR.nii.gz',
      'PDGM-3/PDGM-3_tumor_segmentation.nii.gz',
      'sub-04/anat/sub-04_T1w.nii.gz',
      'T2/five.nii.gz',
      't1/five_t1.nii.gz',
      't1/six.txt',
    ]) {
      await put(file);
    }
    const found = await findVolumes(folder);
    const short = found.map(({ patient, contrasts, mask }) =>
      [patient, ...Object.keys(contrasts).sort(), ...(mask ? ['mask'] : [])].join(' '),
    );
    expect(short).toEqual(['B_2 flair t1 mask', 'GLI-1 flair t1', 'PDGM-3 flair t1 mask', 'five t1 t2', 'sub-04 t1']);
  });

  it('are refused when two files are one contrast of a patient, and when there are none', async () => {
    await expect(findVolumes(join(folder, 'none'))).rejects.toThrow(/none: cannot be read/);
    await expect(findVolumes(folder)).rejects.toThrow('no volumes in t1, t2, flair found');
    await put('a/a_t1.nii.gz');
    await put('a/a_t1.nii');
    await expect(findVolumes(folder)).rejects.toThrow(/a_t1\.nii\.gz: is t1 of 'a', but so is .*a_t1\.nii/);
  });

  describe('are cut into slices', () => {
    const out = () => join(folder, 'out');
    const from = () => join(folder, 'from');
    const cut = (more = {}) => writeSlices({ from: from(), out: out(), mostDark: 0.8, ...more });
    const volume = (shape = [4, 4, 3], value = 1, affine: readonly (readonly number[])[] = identity(4)) => {
      const data = new Float32Array(shape.reduce((a, b) => a * b)).fill(value);
      return encodeNifti({ data, shape, affine }, { dtype: 'float32', file: 'x.nii' });
    };
    beforeEach(async () => {
      for (const patient of ['a', 'b', 'c']) {
        for (const kind of ['t1', 't2', 'seg']) await put(`from/${patient}/${patient}_${kind}.nii`, volume());
      }
    });

    it('into contrasts and masks that are there, or those that are asked for', async () => {
      expect(await cut()).toEqual({
        contrasts: ['t1', 't2'],
        masks: true,
        splits: {
          train: { patients: 1, slices: 3 },
          validation: { patients: 1, slices: 3 },
          test: { patients: 1, slices: 3 },
        },
      });
      expect((await readdir(join(out(), 'test', 'mask'))).sort()).toEqual(
        [0, 1, 2].map((z) => `patient-c-slice${z}.npy`),
      );
      await rm(out(), { recursive: true });
      await cut({ contrasts: ['t1'], masks: false });
      expect(await readdir(join(out(), 'train'))).toEqual(['t1']);
    });

    it.each([
      ['a patient lacks what others have', () => rm(join(from(), 'b/b_t2.nii')), '1 of 3 patients have no t2: b.'],
      ['a patient lacks T1', () => rm(join(from(), 'a/a_t1.nii')), '1 of 3 patients have no t1: a.'],
      ['a patient lacks a mask', () => rm(join(from(), 'c/c_seg.nii')), '1 of 3 patients have no mask: c.'],
      ['two patients are left', () => rm(join(from(), 'a'), { recursive: true }), '2 patients, expected at least 3'],
      [
        'a grid is another',
        () => put('from/b/b_t2.nii', volume([4, 4, 2])),
        /b_t2\.nii: 4 × 4 × 2 voxels, but .*b_t1\.nii has 4 × 4 × 3/,
      ],
      [
        'a place is another',
        () => put('from/b/b_t2.nii', volume([4, 4, 3], 1, moved)),
        /b_t2\.nii: lies elsewhere in space/,
      ],
      [
        'T1 is dark',
        () => put('from/c/c_t1.nii', volume([4, 4, 3], 0)),
        /c_t1\.nii: in every axial slice at least 0\.8/,
      ],
      [
        'there are several volumes in a file',
        () => put('from/c/c_t1.nii', volume([4, 4, 3, 2])),
        /c_t1\.nii: shape 4 × 4 × 3 × 2/,
      ],
      [
        'a voxel is not finite',
        () => put('from/c/c_t2.nii', volume([4, 4, 3], Number.NaN)),
        /c_t2\.nii: NaN among the voxels/,
      ],
    ])('but not when %s, and then nothing is left', async (_, spoil, message) => {
      await spoil();
      await expect(cut()).rejects.toThrow(message);
      expect(await readdir(folder)).toEqual(['from']);
    });

    it('but not into a folder that holds something', async () => {
      await put('out/thesis.txt');
      await expect(cut()).rejects.toThrow('already holds files; nothing was written');
      expect(await readdir(out())).toEqual(['thesis.txt']);
    });
  });
});

const moved = identity(4).map((row, i) => row.map((value, j) => (i === 0 && j === 3 ? 7 : value)));
