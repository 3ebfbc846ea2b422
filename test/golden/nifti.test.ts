/** NIfTI files of every kind, written and read by nibabel 5.4.2 (made by make/nifti_variants.py). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readNifti } from '../../src/imaging/nifti/read-nifti';

interface Expected {
  readonly shape: number[];
  readonly dtype: string;
  readonly affine: number[][];
  readonly data: number[];
}

const folder = join(__dirname, 'nifti', 'variants');
const expected: Record<string, Expected> = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'));

/** Two axes get a third of 1; a trailing axis of 1 is dropped. */
function threeAxes(shape: number[]): number[] {
  const trimmed = shape.length > 3 && shape.at(-1) === 1 ? shape.slice(0, -1) : shape;
  return trimmed.length === 2 ? [...trimmed, 1] : trimmed;
}

describe('reading NIfTI as nibabel does', () => {
  it.each(Object.entries(expected))('%s', async (name, { shape, dtype, affine, data }) => {
    const volume = await readNifti(join(folder, name));
    expect(volume.shape).toEqual(threeAxes(shape));
    expect(volume.dtypeOnDisk).toBe(dtype);
    expect([...volume.data]).toEqual(data);
    volume.affine.flat().forEach((value, i) => {
      expect(value).toBeCloseTo(affine.flat()[i]!, 5);
    });
  });
});
