import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readNpy } from '../../src/imaging/npy/read-npy';
import { encodeNpy } from '../../src/imaging/npy/write-npy';
import { MOST_DARK } from '../../src/imaging/slices/kept-slices';
import { listSlices } from '../../src/imaging/slices/layout';
import { normalisations } from '../../src/imaging/slices/normalisation';
import { sliceReader } from '../../src/imaging/slices/slice-reader';
import { writeSlices } from '../../src/imaging/slices/write-slices';

const folder = join(__dirname, 'slices');

async function json<T>(name: string): Promise<T> {
  return JSON.parse(await readFile(join(folder, name), 'utf8')) as T;
}

describe('.npy files that NumPy wrote', () => {
  it('hold the numbers that NumPy says, in every type, byte order and axis order', async () => {
    const expected = await json<Record<string, { shape: number[]; values: number[] }>>('npy.json');
    expect(Object.keys(expected)).toHaveLength(11 * 4 + 5);
    for (const [file, { shape, values }] of Object.entries(expected)) {
      const found = await readNpy(join(folder, 'npy', file));
      expect([file, found.shape]).toEqual([file, shape]);
      expect([file, [...found.data]]).toEqual([file, values]);
    }
  });

  it('are written the same, byte for byte', async () => {
    for (const [file, make] of [
      ['le-f4-C.npy', (data: Float32Array) => data],
      ['le-u2-C.npy', (data: Float32Array) => Uint16Array.from(data)],
      ['le-u1-C.npy', (data: Float32Array) => Uint8Array.from(data)],
      ['one-axis.npy', (data: Float32Array) => data],
    ] as const) {
      const path = join(folder, 'npy', file);
      const { data, shape } = await readNpy(path);
      expect([file, Buffer.from(encodeNpy(make(data), shape))]).toEqual([file, await readFile(path)]);
    }
  });

  it.each([
    ['objects.npy', /Python objects, which are never unpacked here/],
    ['complex.npy', /numbers of type '<c16', expected one of f2/],
    ['structured.npy', /expected one with descr, fortran_order and shape of plain numbers/],
  ])('without plain numbers are refused: %s', async (file, message) => {
    await expect(readNpy(join(folder, 'npy', file))).rejects.toMatchObject({
      tag: 'DataError',
      message: expect.stringMatching(message),
    });
  });
});

describe('slices of volumes', () => {
  let out: string;
  const read = (file: string) => readNpy(join(out, file));
  beforeAll(async () => {
    out = join(await mkdtemp(join(tmpdir(), 'consilium-slices-')), 'out');
    await writeSlices({ from: join(folder, 'nifti'), out, mostDark: MOST_DARK });
  });
  afterAll(() => rm(join(out, '..'), { recursive: true }));

  it('are those that NumPy cuts from what nibabel reads: files, numbers and masks', async () => {
    const { shape, slices } = await json<{ shape: number[]; slices: Record<string, number[]> }>('slices.json');
    const entries = await readdir(out, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((one) => one.isFile())
      .map((one) => join(one.parentPath, one.name).slice(out.length + 1));
    expect(files.map((file) => file.replaceAll('\\', '/')).sort()).toEqual(Object.keys(slices).sort());
    for (const [file, values] of Object.entries(slices)) {
      const found = await read(file);
      expect([file, found.shape, [...found.data]]).toEqual([file, shape, values]);
    }
  });

  it.each(normalisations)("are normalised as NumPy does it: '%s'", async (normalisation) => {
    const { normalised } = await json<{ normalised: Record<string, number[][]> }>('slices.json');
    const all = await listSlices(out, 'train', { source: 't1', target: 't2' });
    const own = all.filter(({ patient }) => patient === 'Case_02');
    const reader = sliceReader(all, normalisation);
    // The last first: the scale of a volume does not depend on where reading begins.
    for (const [i, pair] of [...own.entries()].reverse()) {
      const { source } = await reader.read(pair);
      const expected = normalised[normalisation]![i]!;
      const worst = Math.max(
        ...expected.map((value, j) => Math.abs(value - source[j]!) / Math.max(1, Math.abs(value))),
      );
      expect(worst).toBeLessThan(1e-6);
    }
  });
});
