import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isConsiliumError } from '../../errors';
import { decodeNpy, readNpy } from './read-npy';
import { encodeNpy } from './write-npy';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'consilium-npy-'));
});
afterAll(() => rm(folder, { recursive: true }));

const good = encodeNpy(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]);

/** A version 1.0 file with this header and so many bytes of data. */
function withHeader(header: string, bytes = 24): Uint8Array {
  const head = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length & 255, header.length >> 8]);
  return Buffer.concat([head, Buffer.from(header), Buffer.alloc(bytes)]);
}

describe('.npy', () => {
  it('gives back what was written, numbers and shape', () => {
    const numbers = fc.float32Array({ minLength: 6, maxLength: 6 });
    fc.assert(
      fc.property(numbers, fc.constantFrom([6], [2, 3], [3, 2, 1], [1, 1, 1, 6]), (data, shape) => {
        const read = decodeNpy(encodeNpy(data, shape), 'x.npy');
        expect(read.shape).toEqual(shape);
        expect(read.data).toEqual(data);
        expect(read.typeOnDisk).toBe('f4');
      }),
    );
  });

  it('of any bytes is read or refused with the file named, and never takes more memory than the file has', () => {
    const damaged = fc.tuple(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged.map(damage)), (bytes) => {
        try {
          const { data, shape } = decodeNpy(bytes, 'x.npy');
          expect(shape.reduce((a, b) => a * b, 1)).toBe(data.length);
          expect(data.length).toBeLessThan(bytes.length);
        } catch (error) {
          if (!isConsiliumError(error, 'DataError')) throw error;
          expect(error.message).toMatch(/^x\.npy: /);
        }
      }),
      { numRuns: 2000 },
    );

    function damage([at, value, length]: [number, number, number]): Uint8Array {
      const bytes = Uint8Array.from(good).subarray(0, Math.max(at + 1, length));
      bytes[at] = value;
      return bytes;
    }
  });

  it('takes the keys of the header in any order', () => {
    const read = decodeNpy(withHeader("{'shape': (2, 3), 'fortran_order': False, 'descr': '<f4'}\n"), 'x.npy');
    expect(read.shape).toEqual([2, 3]);
  });

  it.each([
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'more': True}", /expected one with descr/],
    ["{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", /expected one with descr/],
    ["{'descr': '<f4', 'fortran_order': __import__('os'), 'shape': (2, 3)}", /expected one with descr/],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (2, -3)}", /shape \(2, -3\)/],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3)}", /shape \(0, 3\)/],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999, 9999999999)}", /found 24/],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)}", /is 16 bytes, found 24/],
    ["{'descr': '=f4', 'fortran_order': False, 'shape': (2, 3)}", /numbers of type '=f4'/],
    ["{'descr': '|O', 'fortran_order': False, 'shape': (3,)}", /Python objects/],
  ])('with the header %s is refused', (header, message) => {
    expect(() => decodeNpy(withHeader(header), 'x.npy')).toThrow(message);
  });

  it('is refused when it is missing, a folder, cut off, or larger than allowed, before memory is taken', async () => {
    await expect(readNpy(join(folder, 'none.npy'))).rejects.toThrow('there is no such file');
    await expect(readNpy(folder)).rejects.toThrow('not a regular file');
    const file = join(folder, 'x.npy');
    await writeFile(file, good);
    await expect(readNpy(file, { mostBytes: 100 })).rejects.toThrow('expected at most 100');
    await truncate(file, good.length - 1);
    await expect(readNpy(file)).rejects.toThrow('is 24 bytes, found 23');
    await truncate(file, 2 ** 40);
    await expect(readNpy(file)).rejects.toMatchObject({ tag: 'DataError', file });
  });
});
