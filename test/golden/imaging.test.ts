/** Imaging against numbers computed with MONAI 1.5.0 (transforms.json, rng-compose-seed0.json). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { augment, loadTrainingCase } from '../../src/imaging/brats/training';
import { loadValidationCase } from '../../src/imaging/brats/validation';
import { gaussianWeights, slidingWindow, windowStarts } from '../../src/imaging/sliding-window';
import { normalizeNonzero } from '../../src/imaging/transforms/normalize-intensity';
import { orientRas } from '../../src/imaging/transforms/orientation';
import { composeRandomState, transformSeeds } from '../../src/imaging/transforms/random-state';
import { spacing } from '../../src/imaging/transforms/spacing';
import { stackChannels } from '../../src/imaging/transforms/stack-channels';
import type { Size3, Volume } from '../../src/imaging/volume';
import { filled } from './fill';

const golden = JSON.parse(readFileSync(join(__dirname, 'transforms.json'), 'utf8'));
const nifti = (name: string): string => join(__dirname, 'nifti', `${name}.nii.gz`);
const files = { image: ['t1ce', 't1', 't2', 'flair'].map(nifti), label: nifti('seg') };

/** Sum and Euclidean norm in float64. */
function statistics(data: Float32Array): { sum: number; l2: number } {
  let sum = 0;
  let squares = 0;
  for (const value of data) {
    sum += value;
    squares += value * value;
  }
  return { sum, l2: Math.sqrt(squares) };
}

function channel(data: Float32Array, channels: number, index: number): Float32Array {
  const voxels = data.length / channels;
  return data.subarray(index * voxels, (index + 1) * voxels);
}

function voxel({ data, shape }: Pick<Volume, 'data' | 'shape'>, [c, x, y, z]: number[]): number {
  return data[((c! * shape[1] + x!) * shape[2] + y!) * shape[3] + z!]!;
}

function expectAffine(found: readonly (readonly number[])[], expected: number[][]): void {
  found.flat().forEach((value, i) => {
    expect(value).toBeCloseTo(expected.flat()[i]!, 6);
  });
}

describe('the validation pipeline', () => {
  it('gives the golden image, label and affine', async () => {
    const { image, label, shape, affine } = await loadValidationCase(files);
    expect(shape).toEqual(golden.valid.image_shape);
    golden.valid.per_channel.forEach((expected: Record<string, number>, c: number) => {
      const data = channel(image, 4, c);
      const { sum, l2 } = statistics(data);
      expect(sum).toBeCloseTo(expected.sum!, 2);
      expect(l2).toBeCloseTo(expected.l2!, 4);
      expect(data.filter((value) => value !== 0)).toHaveLength(expected.nnz!);
      expect(Math.min(...data)).toBeCloseTo(expected.min!, 5);
      expect(Math.max(...data)).toBeCloseTo(expected.max!, 5);
    });
    golden.valid.label_sums.forEach((expected: number, c: number) => {
      expect(statistics(channel(label, 3, c)).sum).toBe(expected);
    });
    for (const [key, expected] of Object.entries<number>(golden.valid.sample)) {
      expect(voxel({ data: image, shape }, JSON.parse(`[${key.slice(1, -1)}]`))).toBeCloseTo(expected, 5);
    }
    expectAffine(affine, golden.valid.affine);
  });
});

describe('the training pipeline', () => {
  it('gives the golden samples under seed 0, one after the other', async () => {
    const loaded = await loadTrainingCase(files);
    const random = composeRandomState(0);
    for (const expected of golden.train) {
      const sample = augment(loaded, [16, 16, 12], random);
      expect(sample.shape).toEqual(expected.shape.slice(1));
      expected.ch.forEach((e: { sum: number; l2: number; first3: number[] }, c: number) => {
        const data = channel(sample.image, 4, c);
        const { sum, l2 } = statistics(data);
        expect(sum).toBeCloseTo(e.sum, 2);
        expect(l2).toBeCloseTo(e.l2, 4);
        e.first3.forEach((value, i) => {
          expect(data[i]).toBeCloseTo(value, 5);
        });
      });
      expected.label.forEach((value: number, c: number) => {
        expect(statistics(channel(sample.label, 3, c)).sum).toBe(value);
      });
    }
  });
});

describe('random draws', () => {
  const draws = JSON.parse(readFileSync(join(__dirname, 'rng-compose-seed0.json'), 'utf8')).compose_seed0;

  it('equal the golden ones exactly', () => {
    expect(transformSeeds(0)).toEqual(draws.transform_seeds);
    const random = composeRandomState(0);
    for (const { crop, flips, factor, offset } of draws.draws) {
      expect(random.draw([240, 240, 155], [224, 224, 144])).toEqual({ start: crop, flips, factor, offset });
    }
  });
});

describe.each(['bilinear', 'nearest'] as const)('spacing, %s', (mode) => {
  const expected = golden[`spacing_${mode}`];

  it('gives the golden grid and values on an oblique, sheared volume', async () => {
    const volume = await stackChannels([nifti('an')]);
    const out = spacing(volume, { pixdim: [1, 1, 1], mode });
    expect(out.shape).toEqual(expected.shape);
    expectAffine(out.affine, expected.affine);
    const { sum, l2 } = statistics(out.data);
    expect(Math.abs(sum - expected.sum)).toBeLessThan(0.1);
    expect(Math.abs(l2 - expected.l2)).toBeLessThan(1e-2);
    expected.first5.forEach((value: number, i: number) => {
      expect(Math.abs(out.data[i]! - value)).toBeLessThan(1e-4);
    });
    expect(Math.abs(voxel(out, [0, 4, 6, 8]) - expected.mid)).toBeLessThan(1e-4);

    const ras = orientRas(out);
    expect(ras.shape).toEqual(expected.ras_shape);
    expectAffine(ras.affine, expected.ras_affine);
    expected.ras_first5.forEach((value: number, i: number) => {
      expect(Math.abs(ras.data[i]! - value)).toBeLessThan(1e-4);
    });
  });
});

describe('normalisation', () => {
  it('gives the golden values over non-zero voxels, also for empty and constant channels', () => {
    const data = Float32Array.of(0, 1, 2, 3, 0, 0, 0, 0, 5, 5, 0, 5);
    normalizeNonzero(data, [3, 1, 1, 4]);
    golden.norm.flat().forEach((value: number, i: number) => {
      expect(data[i]).toBeCloseTo(value, 6);
    });
  });
});

describe('sliding windows', () => {
  const cases = Object.keys(golden).filter((key) => key.startsWith('sw_('));

  it.each(cases)('start where they should: %s', (key) => {
    const [size, roi, overlap] = JSON.parse(
      `[${key.slice(3).replaceAll('(', '[').replaceAll(')', ']').replaceAll('_', ',')}]`,
    ) as [Size3, Size3, number];
    const padded = size.map((n, axis) => Math.max(n, roi[axis]!)) as [number, number, number];
    const starts = windowStarts(padded, roi, overlap);
    expect(starts).toHaveLength(golden[key].n);
    expect(starts.slice(0, 4)).toEqual(golden[key].first4);
    [0, 1, 2].forEach((axis) => {
      const distinct = [...new Set(starts.map((start) => start[axis]!))];
      expect(distinct).toEqual(golden[key].starts[axis]);
    });
  });

  it('have the golden gaussian weights', () => {
    const weights = gaussianWeights([8, 6, 4]);
    golden.gauss_8_6_4.flat().forEach((value: number, i: number) => {
      expect(weights[i * 4 + 1]).toBeCloseTo(value, 7);
    });
  });

  it.each(['constant', 'gaussian'] as const)('blend to the golden output: %s', async (mode) => {
    const expected = golden[`sw_out_${mode}`];
    const data = filled(11, 2 * 20 * 13 * 9);
    const out = await slidingWindow(
      { data, shape: [2, 20, 13, 9] },
      { roi: [8, 16, 6], overlap: 0.5, mode },
      async (window, [channels]) => {
        const voxels = window.length / channels;
        const result = new Float32Array(3 * voxels);
        for (let c = 0; c < 2; c++) {
          const mean = statistics(channel(window, 2, c)).sum / voxels;
          for (let i = 0; i < voxels; i++) result[c * voxels + i] = window[c * voxels + i]! + mean;
        }
        for (let i = 0; i < voxels; i++) result[2 * voxels + i] = 2 * window[i]!;
        return result;
      },
    );
    expect(out.shape).toEqual(expected.shape.slice(1));
    const { sum, l2 } = statistics(out.data);
    expect(Math.abs(sum - expected.sum)).toBeLessThan(1e-2);
    expect(Math.abs(l2 - expected.l2)).toBeLessThan(1e-4);
    expected.pt.forEach((value: number, c: number) => {
      expect(voxel(out, [c, 10, 6, 4])).toBeCloseTo(value, 5);
      expect(voxel(out, [c, 0, 0, 0])).toBeCloseTo(expected.pt0[c], 5);
    });
  });
});
