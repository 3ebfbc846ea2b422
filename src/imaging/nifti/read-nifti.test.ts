import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataError } from '../../errors';
import { type NiftiVolume, readNifti } from './read-nifti';
import { encodeNifti } from './write-nifti';

const affine = [
  [-1, 0, 0, 4],
  [0, -1, 0, 3],
  [0, 0, 2, 0],
  [0, 0, 0, 1],
];
const data = Float32Array.from({ length: 60 }, (_, i) => i);
const valid = encodeNifti({ data, shape: [5, 4, 3], affine }, { dtype: 'int16', file: 'valid' });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nifti-'));
});
afterAll(() => rm(folder, { recursive: true }));

let files = 0;
async function readBytes(bytes: Uint8Array, suffix = '.nii'): Promise<NiftiVolume> {
  const file = join(folder, `${files++}${suffix}`);
  await writeFile(file, bytes);
  return readNifti(file);
}

/** The valid file with some fields set. */
function changed(change: (view: DataView) => void, bytes: Uint8Array = valid): Uint8Array {
  const copy = Uint8Array.from(bytes);
  change(new DataView(copy.buffer));
  return copy;
}

/** The valid file with `extension` between header and voxels, which start at `offset`. */
function extended(extension: Uint8Array, offset: number): Uint8Array {
  const bytes = new Uint8Array(offset + 120);
  bytes.set(valid.subarray(0, 352));
  bytes.set(valid.subarray(352), offset);
  bytes.set(extension, 352);
  bytes[348] = 1;
  new DataView(bytes.buffer).setFloat32(108, offset, true);
  return bytes;
}

const int16 = (at: number, value: number) => changed((view) => view.setInt16(at, value, true));
const float32 = (at: number, value: number) => changed((view) => view.setFloat32(at, value, true));
const words = (...values: number[]) => new Uint8Array(Int32Array.from(values).buffer);

function setExtents(view: DataView, n: number): void {
  for (const at of [42, 44, 46]) view.setInt16(at, n, true);
}

describe('a NIfTI file that is not in order is refused, naming what is wrong', () => {
  const cases: Record<string, [Uint8Array, string]> = {
    'no bytes': [new Uint8Array(0), '0 bytes'],
    'a single byte of the gzip magic': [Uint8Array.of(0x1f), '1 bytes'],
    'half a header': [valid.subarray(0, 200), '200 bytes, expected at least 348'],
    'a header only': [valid.subarray(0, 352), 'declares 472 bytes, found 352'],
    'one byte missing': [valid.subarray(0, 471), 'declares 472 bytes, found 471'],
    'half of the voxels': [valid.subarray(0, 412), 'declares 472 bytes, found 412'],
    'sizeof_hdr of something else': [changed((v) => v.setInt32(0, 349, true)), 'sizeof_hdr is 349, expected 348'],
    'a header/image pair': [changed((v) => v.setUint8(345, 0x69)), '"ni1" marks a header/image pair'],
    'another magic': [changed((v) => v.setUint8(344, 0x78)), 'the magic "x+1" is not'],
    'no axes': [int16(40, 0), 'dim[0] is 0'],
    'eight axes': [int16(40, 8), 'dim[0] is 8'],
    'a negative number of axes': [int16(40, -1), 'dim[0] is -1'],
    'far too many axes': [int16(40, 32767), 'dim[0] is 32767'],
    'an axis of nothing': [int16(44, 0), 'dim[2] is 0'],
    'a negative axis': [int16(46, -5), 'dim[3] is -5'],
    'more voxels than 2³¹': [changed((v) => setExtents(v, 32767)), 'fewer than 2³¹'],
    'more voxels than 2⁵³': [
      changed((v) => {
        v.setInt16(40, 7, true);
        for (let i = 0; i < 7; i++) v.setInt16(42 + 2 * i, 32767, true);
      }),
      'fewer than 2³¹',
    ],
    'five real axes': [
      changed((v) => {
        v.setInt16(40, 5, true);
        v.setInt16(50, 2, true);
      }),
      'declares 5 axes (5×4×3×1×2)',
    ],
    'datatype 0': [int16(70, 0), 'datatype 0 (unknown)'],
    'complex numbers': [int16(70, 32), 'datatype 32 (complex64)'],
    colours: [int16(70, 128), 'datatype 128 (RGB)'],
    float128: [int16(70, 1536), 'datatype 1536 (float128)'],
    'a datatype nobody knows': [int16(70, 77), 'datatype 77 is not supported'],
    'bitpix of another type': [int16(72, 8), 'bitpix is 8, but datatype int16 has 16'],
    'vox_offset in the header': [float32(108, 348), 'vox_offset is 348'],
    'vox_offset NaN': [float32(108, Number.NaN), 'vox_offset is NaN'],
    'vox_offset negative': [float32(108, -352), 'vox_offset is -352'],
    'vox_offset between bytes': [float32(108, 352.5), 'vox_offset is 352.5'],
    'vox_offset beyond the file': [float32(108, 1e9), 'truncated: the header declares'],
    'an intercept that is no number': [
      changed((v) => {
        v.setFloat32(112, 2, true);
        v.setFloat32(116, Number.NaN, true);
      }),
      'scl_inter is NaN with scl_slope 2',
    ],
    'an unknown qform_code': [int16(252, 6), 'qform_code is 6, expected 0 to 5'],
    'an unknown sform_code': [int16(254, -1), 'sform_code is -1, expected 0 to 5'],
    'an sform that flattens': [
      changed((v) => {
        v.setFloat32(280, 0, true); // x runs along world y as well.
        v.setFloat32(296, -1, true);
      }),
      'maps the volume to a plane',
    ],
    'an sform with NaN': [float32(292, Number.NaN), 'not finite'],
    'a qform that is no rotation': [
      changed((v) => {
        v.setInt16(254, 0, true);
        v.setFloat32(256, 2, true);
      }),
      'quatern_b, c, d = 2,',
    ],
    'a NaN voxel size without any form': [
      changed((v) => {
        v.setInt16(252, 0, true);
        v.setInt16(254, 0, true);
        v.setFloat32(80, Number.NaN, true);
      }),
      'not finite',
    ],
    'an extension of odd size': [extended(words(20, 6, 0, 0, 0, 0, 0, 0), 384), 'extension 1 at byte 352 has size 20'],
    'an extension that runs past the voxels': [
      extended(words(64, 6, 0, 0), 384),
      'extension 1 at byte 352 has size 64',
    ],
    'an extension of size 0': [extended(words(0, 6, 0, 0), 384), 'extension 1 at byte 352 has size 0'],
    'a second extension that is broken': [
      extended(words(16, 6, 0, 0, -16, 6, 0, 0), 384),
      'extension 2 at byte 368 has size -16',
    ],
  };

  it.each(Object.entries(cases))('%s', async (_, [bytes, message]) => {
    for (const [content, suffix] of [
      [bytes, '.nii'],
      [gzipSync(bytes), '.nii.gz'],
    ] as const) {
      if (suffix === '.nii.gz' && bytes.length < 348) continue; // What is too short is told by the unpacked length.
      const error = await readBytes(content, suffix).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(DataError);
      const { message: found, file, hint } = error as DataError;
      expect(found).toContain(message.split(', found')[0]);
      expect(found).toContain(file);
      expect(hint).toBeTruthy();
    }
  });

  it('a missing file, a folder, a loop of links', async () => {
    await expect(readNifti(join(folder, 'none.nii'))).rejects.toThrow('none.nii: there is no such file');
    await expect(readNifti(folder)).rejects.toThrow(DataError);
    const loop = join(folder, 'loop.nii');
    await symlink(loop, loop);
    await expect(readNifti(loop)).rejects.toThrow(DataError);
  });

  it('damaged gzip: truncated, wrong checksum', async () => {
    const packed = gzipSync(valid);
    const damaged = 'the gzip data are damaged or truncated';
    await expect(readBytes(packed.subarray(0, packed.length - 20), '.nii.gz')).rejects.toThrow(damaged);
    await expect(readBytes(packed.subarray(0, packed.length - 1), '.nii.gz')).rejects.toThrow(damaged);
    const wrong = Buffer.from(packed);
    wrong[wrong.length - 8]! ^= 1;
    await expect(readBytes(wrong, '.nii.gz')).rejects.toThrow(damaged);
  });

  it('a gzip bomb, without unpacking it', async () => {
    const bomb = Buffer.concat([gzipSync(valid), gzipSync(Buffer.alloc(200 * 2 ** 20))]);
    const before = process.memoryUsage().rss;
    await expect(readBytes(bomb, '.nii.gz')).rejects.toThrow('more than 1 MiB beyond the 472 bytes');
    expect(process.memoryUsage().rss - before).toBeLessThan(50 * 2 ** 20);
  });

  it('a small gzip file that claims gigabytes, before memory is taken', async () => {
    const claim = changed((v) => setExtents(v, 1200));
    const before = process.memoryUsage().rss;
    await expect(readBytes(gzipSync(claim), '.nii.gz')).rejects.toThrow(
      'truncated: the header declares 3456000352 bytes',
    );
    expect(process.memoryUsage().rss - before).toBeLessThan(50 * 2 ** 20);
  });

  it('without a word of the patient text that a header may hold', async () => {
    const bytes = changed((v) => {
      new Uint8Array(v.buffer).set(Buffer.from('JANE DOE 1970'), 148);
      new Uint8Array(v.buffer).set(Buffer.from('JANE DOE'), 14);
      v.setInt16(70, 128, true);
    });
    const error = (await readBytes(bytes).catch((e: unknown) => e)) as DataError;
    expect(error.message + error.hint).not.toContain('JANE');
  });
});

describe('a NIfTI file that is odd but clear is read', () => {
  it('with bytes behind the voxels, which are reported', async () => {
    const longer = Buffer.concat([valid, Buffer.alloc(7)]);
    for (const bytes of [longer, gzipSync(longer)]) {
      const volume = await readBytes(bytes);
      expect(volume.data).toEqual(data);
      expect(volume.warnings).toEqual(['7 bytes after the voxels are ignored']);
    }
  });

  it('with voxels at an offset that is no multiple of 16', async () => {
    const moved = changed(
      (v) => v.setFloat32(108, 357, true),
      Buffer.concat([valid.subarray(0, 352), Buffer.alloc(5), valid.subarray(352)]),
    );
    expect((await readBytes(moved)).data).toEqual(data);
  });

  it('with header extensions', async () => {
    expect((await readBytes(extended(words(16, 6, 0, 0, 16, 4, 0, 0), 384))).data).toEqual(data);
  });

  it('compressed under a plain name, and plain under a compressed one', async () => {
    expect((await readBytes(gzipSync(valid), '.nii')).data).toEqual(data);
    expect((await readBytes(valid, '.nii.gz')).data).toEqual(data);
  });

  it.each([0, Number.NaN, Number.POSITIVE_INFINITY])('with scl_slope %s, which means no scaling', async (slope) => {
    expect((await readBytes(float32(112, slope))).data).toEqual(data);
  });

  it('with scaling beyond the stored type', async () => {
    const scaled = changed((v) => {
      v.setFloat32(112, 1e6, true);
      v.setFloat32(116, -0.5, true);
    });
    expect((await readBytes(scaled)).data[59]).toBe(Math.fround(59e6 - 0.5));
  });

  it('with voxel sizes of 0 or below and qfac 0, where no form is coded', async () => {
    const odd = changed((v) => {
      v.setInt16(252, 0, true);
      v.setInt16(254, 0, true);
      v.setFloat32(76, 0, true);
      v.setFloat32(80, 0, true);
      v.setFloat32(84, -2, true);
    });
    const volume = await readBytes(odd);
    expect(volume.affine.slice(0, 3)).toEqual([
      [-1, 0, 0, 2],
      [0, 2, 0, -3],
      [0, 0, 2, -2],
    ]);
    expect(volume.warnings).toEqual(['pixdim[1] 0 is taken as 1', 'pixdim[2] -2 is taken as 2']);
  });

  it('from a path with spaces, umlauts and a line break', async () => {
    expect((await readBytes(valid, ' Kopf größe\n1.nii')).data).toEqual(data);
  });

  it('with NaN voxels, which are for the caller to judge', async () => {
    const bytes = encodeNifti(
      { data: Float32Array.of(Number.NaN), shape: [1, 1, 1], affine },
      { dtype: 'float32', file: '' },
    );
    expect((await readBytes(bytes)).data[0]).toBeNaN();
  });
});

describe('random damage', () => {
  const mutation = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });

  it('gives a DataError or a volume in order, never anything else', async () => {
    await fc.assert(
      fc.asyncProperty(mutation, fc.boolean(), async (changes, pack) => {
        const bytes = valid.slice();
        for (const [at, value] of changes) bytes[at] = value;
        await expectVolumeOrDataError(pack ? gzipSync(bytes) : bytes);
      }),
      { numRuns: 300 },
    );
  });

  it('also of the compressed bytes', async () => {
    const packed = gzipSync(valid);
    const place = fc.array(fc.tuple(fc.nat(packed.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(place, async (changes) => {
        const bytes = Buffer.from(packed);
        for (const [at, value] of changes) bytes[at] = value;
        await expectVolumeOrDataError(bytes);
      }),
      { numRuns: 200 },
    );
  });

  async function expectVolumeOrDataError(bytes: Uint8Array): Promise<void> {
    const file = join(folder, 'mutated.nii');
    await writeFile(file, bytes);
    try {
      const volume = await readNifti(file);
      expect(volume.data).toHaveLength(volume.shape.reduce((a, b) => a * b));
      expect(volume.affine.flat().every(Number.isFinite)).toBe(true);
    } catch (error) {
      expect(error).toBeInstanceOf(DataError);
    }
  }
});
