import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError, DataError } from '../../errors';
import type { DatalistItem } from '../datalist';
import { readNifti } from '../nifti/read-nifti';
import { type WritableVolume, writeNifti } from '../nifti/write-nifti';
import { composeRandomState } from '../transforms/random-state';
import { labelsToRegions, regionsToLabels } from './labels';
import { restoreGrid } from './restore-grid';
import { augment, loadTrainingCase } from './training';
import { loadValidationCase } from './validation';

const shape = [10, 9, 8] as const;
const voxels = 720;
const brats = [
  [-1, 0, 0, 0],
  [0, -1, 0, 8],
  [0, 0, 1, 0],
  [0, 0, 0, 1],
];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'brats-'));
});
afterAll(() => rm(folder, { recursive: true }));

const image: WritableVolume = { data: Float32Array.from({ length: voxels }, (_, i) => i % 50), shape, affine: brats };
const labels: WritableVolume = {
  ...image,
  data: Float32Array.from({ length: voxels }, (_, i) => [0, 1, 2, 4][i % 4]!),
};

let cases = 0;
/** Writes a case; `changes` replace single volumes. */
async function writeCase(changes: Record<string, WritableVolume> = {}): Promise<DatalistItem> {
  const path = (name: string): string => join(folder, `case${cases}`, `${name}.nii.gz`);
  for (const name of ['t1ce', 't1', 't2', 'flair', 'seg']) {
    const volume = changes[name] ?? (name === 'seg' ? labels : image);
    await writeNifti(path(name), volume, { dtype: 'float32' });
  }
  const item = { image: ['t1ce', 't1', 't2', 'flair'].map(path), label: path('seg') };
  cases++;
  return item;
}

function withVoxel({ data, ...rest }: WritableVolume, value: number): WritableVolume {
  return { ...rest, data: Float32Array.from(data, (old, i) => (i === 77 ? value : old)) };
}

describe('labels', () => {
  it('become overlapping regions: core, whole, enhancing', () => {
    expect([...labelsToRegions(Float32Array.of(0, 1, 2, 4))]).toEqual([0, 1, 0, 1, 0, 1, 1, 1, 0, 0, 0, 1]);
  });

  it('come back from regions and from logits', () => {
    const back = Uint8Array.of(0, 1, 2, 4);
    const regions = labelsToRegions(Float32Array.from(back));
    expect(regionsToLabels(regions)).toEqual(back);
  });
});

describe('a BraTS case', () => {
  it('is loaded for training in RAS, regions on the grid of the image', async () => {
    const loaded = await loadTrainingCase(await writeCase());
    expect(loaded.image.shape).toEqual([4, ...shape]);
    expect(loaded.label.shape).toEqual([3, ...shape]);
    expect(loaded.image.affine[0]![0]).toBe(1);
    // Both flips: the last voxel along x and y, the first along z, comes first.
    expect(loaded.image.data[0]).toBe(image.data[(9 * 9 + 8) * 8]);
  });

  const bad: Record<string, [Record<string, WritableVolume>, string, string]> = {
    'a NaN voxel': [{ t2: withVoxel(image, Number.NaN) }, 't2.nii.gz', 'a voxel that is NaN'],
    'an infinite voxel': [{ t1ce: withVoxel(image, Number.NEGATIVE_INFINITY) }, 't1ce.nii.gz', 'a voxel that is -Inf'],
    'label 3': [{ seg: withVoxel(labels, 3) }, 'seg.nii.gz', 'holds the label 3, expected only 0, 1, 2 and 4'],
    'label 0.5': [{ seg: withVoxel(labels, 0.5) }, 'seg.nii.gz', 'holds the label 0.5'],
    'label NaN': [{ seg: withVoxel(labels, Number.NaN) }, 'seg.nii.gz', 'holds the label NaN'],
    'a modality of another shape': [
      { flair: { ...image, shape: [9, 10, 8] } },
      'flair.nii.gz',
      'the shape is 9×10×8, but',
    ],
    'a label of another shape': [{ seg: { ...labels, shape: [8, 9, 10] } }, 'seg.nii.gz', 'the shape is 8×9×10, but'],
    'four axes': [{ t1ce: { ...image, shape: [10, 9, 4, 2] } }, 't1ce.nii.gz', 'the shape is 10×9×4×2, expected three'],
    'a modality elsewhere': [
      { t1: { ...image, affine: [[-1, 0, 0, 5], ...brats.slice(1)] } },
      't1.nii.gz',
      'the affine is [[-1,0,0,5]',
    ],
    'a label elsewhere': [
      { seg: { ...labels, affine: [...brats.slice(0, 2), [0, 0, 2, 0], [0, 0, 0, 1]] } },
      'seg.nii.gz',
      'the affine is',
    ],
  };

  it.each(Object.entries(bad))('is refused with %s', async (_, [changes, file, message]) => {
    const item = await writeCase(changes);
    for (const load of [loadTrainingCase, loadValidationCase]) {
      const error = (await load(item).catch((e: unknown) => e)) as DataError;
      expect(error).toBeInstanceOf(DataError);
      expect(error.file).toContain(file);
      expect(error.message).toContain(message);
      expect(error.hint).toBeTruthy();
    }
  });

  it('without any tumour and of constant intensity is loaded', async () => {
    const constant = { ...image, data: new Float32Array(voxels).fill(7) };
    const item = await writeCase({ t1: constant, seg: { ...labels, data: new Float32Array(voxels) } });
    const { image: loaded, label } = await loadValidationCase(item);
    expect(loaded.every(Number.isFinite)).toBe(true);
    expect(label.some((value) => value !== 0)).toBe(false);
  });

  it('carries what was odd about its files', async () => {
    const item = await writeCase();
    await appendFile(item.label, gzipSync('more'));
    const loaded = await loadTrainingCase(item);
    expect(loaded.warnings).toEqual([`${item.label}: 4 bytes after the voxels are ignored`]);
  });

  it('with voxels in another unit than millimetres is refused before it is resampled', async () => {
    const affine = [
      [1000, 0, 0, 0],
      [0, 1000, 0, 0],
      [0, 0, 1000, 0],
      [0, 0, 0, 1],
    ];
    const names = ['t1ce', 't1', 't2', 'flair'];
    const item = await writeCase(Object.fromEntries(names.map((name) => [name, { ...image, affine }])));
    await expect(loadTrainingCase(item)).rejects.toThrow(
      'is 10000×9000×8000 mm large with voxels of 1000×1000×1000 mm',
    );
  });
});

describe('augmentation', () => {
  it('crops image and labels alike and leaves the loaded case as it was', async () => {
    const loaded = await loadTrainingCase(await writeCase());
    const before = loaded.image.data.slice();
    const sample = augment(loaded, [8, 8, 8], composeRandomState(1));
    expect(sample.image).toHaveLength(4 * 512);
    expect(sample.label).toHaveLength(3 * 512);
    expect(sample.shape).toEqual([8, 8, 8]);
    expect(loaded.image.data).toEqual(before);
    expect(augment(loaded, [8, 8, 8], composeRandomState(1))).toEqual(sample);
    expect(augment(loaded, [8, 8, 8], composeRandomState(2)).image).not.toEqual(sample.image);
  });

  it('refuses a crop larger than the image, naming the flag and what would fit', async () => {
    const loaded = await loadTrainingCase(await writeCase());
    const error = (() => {
      try {
        return augment(loaded, [16, 8, 8], composeRandomState(1));
      } catch (e) {
        return e;
      }
    })() as ConfigError;
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toBe('--roi_size is 16 8 8, but an image is only 10×9×8 voxels (at 1 mm).');
    expect(error.hint).toContain('--roi_size 8 8 8');
  });
});

describe('restoring the grid of the files', () => {
  it('undoes padding and orientation', async () => {
    const item = await writeCase();
    const volume = await loadValidationCase(item);
    expect(volume.shape).toEqual([4, 32, 32, 32]);
    const restored = restoreGrid(regionsToLabels(volume.label), volume);
    expect(restored.shape).toEqual(shape);
    expect(restored.affine).toEqual(brats);
    expect([...restored.data]).toEqual([...(await readNifti(item.label)).data]);
  });

  it('undoes another voxel size up to the nearest voxel', async () => {
    // A block of label 2, wider than the voxels of either grid.
    const block = new Float32Array(voxels);
    for (let x = 2; x < 8; x++) {
      for (let y = 2; y < 7; y++) block.fill(2, (x * 9 + y) * 8 + 2, (x * 9 + y) * 8 + 6);
    }
    const affine = [
      [0, 2, 0, 0],
      [-2, 0, 0, 0],
      [0, 0, 2, 0],
      [0, 0, 0, 1],
    ];
    const place = (volume: WritableVolume): WritableVolume => ({ ...volume, affine });
    const images = Object.fromEntries(['t1ce', 't1', 't2', 'flair'].map((name) => [name, place(image)]));
    const volume = await loadValidationCase(await writeCase({ ...images, seg: place({ ...labels, data: block }) }));
    const restored = restoreGrid(regionsToLabels(volume.label), volume);
    expect([...restored.data]).toEqual([...block]);
  });
});
