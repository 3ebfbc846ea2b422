import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readNifti } from './read-nifti';
import { encodeNifti, type WritableVolume, writeNifti } from './write-nifti';

const affine = [
  [-1, 0, 0, 0],
  [0, -1, 0, 239],
  [0, 0, 1, 0],
  [0, 0, 0, 1],
];
const volume: WritableVolume = {
  data: Float32Array.from({ length: 24 }, (_, i) => i * 3 - 20),
  shape: [2, 3, 4],
  affine,
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nifti-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('writing NIfTI', () => {
  it.each(['a.nii', 'a.nii.gz'])('round-trips values, shape, type and affine: %s', async (name) => {
    await writeNifti(join(folder, name), volume, { dtype: 'int16' });
    const { warnings, ...read } = await readNifti(join(folder, name));
    expect(read).toEqual({ ...volume, dtypeOnDisk: 'int16' });
    expect(warnings).toEqual([]);
  });

  it('round-trips four axes', async () => {
    const file = join(folder, 'four.nii');
    await writeNifti(file, { ...volume, shape: [2, 3, 2, 2] }, { dtype: 'float32' });
    expect((await readNifti(file)).data).toEqual(volume.data);
  });

  it('writes the same place into qform and sform, also when the affine mirrors and turns', () => {
    // 0.8, 0.2, −0.4, 0.4 is a unit quaternion; the third axis is mirrored.
    const [a, b, c, d] = [0.8, 0.2, -0.4, 0.4];
    const rotation = [
      [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), -2 * (b * d + a * c)],
      [2 * (b * c + a * d), a * a + c * c - b * b - d * d, -2 * (c * d - a * b)],
      [2 * (b * d - a * c), 2 * (c * d + a * b), -(a * a + d * d - b * b - c * c)],
    ];
    const turned = [...rotation.map((row, i) => [...row, i]), [0, 0, 0, 1]];
    const view = new DataView(encodeNifti({ ...volume, affine: turned }, { dtype: 'float32', file: 'x' }).buffer);
    expect(view.getInt16(252, true)).toBe(1);
    expect(view.getInt16(254, true)).toBe(1);
    expect(view.getFloat32(76, true)).toBe(-1);
    [b, c, d].forEach((value, i) => {
      expect(view.getFloat32(256 + 4 * i, true)).toBeCloseTo(value, 6);
    });
  });

  it('codes no qform for a sheared affine, which a qform cannot express', () => {
    const sheared = [[1, 0.3, 0, 0], ...affine.slice(1)];
    const view = new DataView(encodeNifti({ ...volume, affine: sheared }, { dtype: 'float32', file: 'x' }).buffer);
    expect([view.getInt16(252, true), view.getInt16(254, true)]).toEqual([0, 1]);
  });

  it('refuses a value that the type cannot hold, naming file and value, and writes nothing', async () => {
    const file = join(folder, 'refused.nii');
    await expect(writeNifti(file, volume, { dtype: 'uint8' })).rejects.toThrow(`${file}: the value -20 is no uint8`);
    const half = { ...volume, data: volume.data.map((value) => value + 0.5) };
    await expect(writeNifti(file, half, { dtype: 'int16' })).rejects.toThrow('the value -19.5 is no int16');
    expect(await readdir(folder)).not.toContain('refused.nii');
  });

  it('refuses a shape that does not match the data', () => {
    expect(() => encodeNifti({ ...volume, shape: [2, 3, 5] }, { dtype: 'int16', file: 'x' })).toThrow('[2,3,5]');
  });

  it('compresses to the same bytes at any time', async () => {
    const [a, b] = [join(folder, 'once.nii.gz'), join(folder, 'twice.nii.gz')];
    await writeNifti(a, volume, { dtype: 'int16' });
    await writeNifti(b, volume, { dtype: 'int16' });
    const bytes = await readFile(a);
    expect(bytes.subarray(4, 8)).toEqual(Buffer.alloc(4));
    expect(bytes).toEqual(await readFile(b));
  });
});
