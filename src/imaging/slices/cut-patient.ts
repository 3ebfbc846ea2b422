/**
 * The axial slices of one patient's volumes.
 *
 * @module
 */
import { AFFINE_TOLERANCE, type Affine } from '../affine';
import { badFile } from '../data-error';
import { readNifti } from '../nifti/read-nifti';
import type { Size3 } from '../volume';
import type { PatientVolumes } from './find-volumes';
import { axialSlice, keptSlices } from './kept-slices';
import type { Contrast } from './layout';

export interface CutOptions {
  /** T1, by which slices are kept, is among them. */
  readonly contrasts: readonly Contrast[];
  /** A slice of T1 is kept when less than this share of it is dark, (0, 1]. */
  readonly mostDark: number;
}

export interface CutPatient {
  /** Places of the slices along the body. */
  readonly kept: readonly number[];
  /** Height and width of a slice. */
  readonly shape: readonly [number, number];
  slice(kind: Contrast | 'mask', index: number): Float32Array | Uint8Array;
}

interface Axial {
  /** C order of `size`; the last axis runs along the body. */
  readonly data: Float32Array;
  readonly size: Size3;
  readonly affine: Affine;
}

/**
 * Reads a patient's volumes and decides which slices are kept; a mask is 1 where the file has more than 0. Slices are as stored, axes
 * included; a volume whose last axis does not run along the body is turned so that it does.
 *
 * @throws DataError naming the file that is missing, no volume, not finite, on another grid than T1, or dark throughout.
 */
export async function cutPatient(volumes: PatientVolumes, { contrasts, mostDark }: CutOptions): Promise<CutPatient> {
  const t1File = volumes.contrasts.t1!;
  const t1 = await readAxial(t1File);
  const read = new Map<string, Float32Array | Uint8Array>([['t1', t1.data]]);
  for (const contrast of contrasts) {
    if (contrast === 't1') continue;
    const file = volumes.contrasts[contrast]!;
    read.set(contrast, (await readOn(t1, t1File, file)).data);
  }
  if (volumes.mask !== undefined) {
    const { data } = await readOn(t1, t1File, volumes.mask);
    read.set(
      'mask',
      Uint8Array.from(data, (value) => (value > 0 ? 1 : 0)),
    );
  }
  const kept = keptSlices(t1.data, t1.size, mostDark);
  if (kept.length === 0) {
    const problem = `in every axial slice at least ${mostDark} of the pixels are dark.`;
    throw badFile(t1File, problem, 'Look at the volume, or raise --max-dark.');
  }
  return {
    kept,
    shape: [t1.size[0], t1.size[1]],
    slice: (kind, index) => axialSlice(read.get(kind)!, t1.size, index),
  };
}

/** @throws DataError when the grid is not that of T1: slices of one number would not show the same place. */
async function readOn(t1: Axial, t1File: string, file: string): Promise<Axial> {
  const volume = await readAxial(file);
  const resample = 'Register and resample all volumes of a patient onto one grid first.';
  if (volume.size.some((n, axis) => n !== t1.size[axis])) {
    throw badFile(file, `${volume.size.join(' × ')} voxels, but ${t1File} has ${t1.size.join(' × ')}.`, resample);
  }
  const differs = volume.affine.some((row, i) =>
    row.some((value, j) => Math.abs(value - t1.affine[i]![j]!) > AFFINE_TOLERANCE),
  );
  if (!differs) return volume;
  throw badFile(file, `lies elsewhere in space than ${t1File}: their affines differ.`, resample);
}

async function readAxial(file: string): Promise<Axial> {
  const { data, shape, affine } = await readNifti(file);
  const [nx, ny, nz, ...more] = shape;
  if (nx === undefined || ny === undefined || nz === undefined || more.some((n) => n !== 1)) {
    throw badFile(file, `shape ${shape.join(' × ')}, expected a volume.`, 'Take one volume out of the series.');
  }
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw badFile(file, `${data[bad]} among the voxels.`, 'Export it again, with finite numbers.');
  return alongBody({ data, size: [nx, ny, nz], affine });
}

/** Moves the axis that is nearest to the body's to the end; the others keep their order. */
function alongBody(volume: Axial): Axial {
  const { data, size, affine } = volume;
  const upwards = [0, 1, 2].map((axis) => Math.abs(affine[2]![axis]!) / lengthOf(affine, axis));
  const axis = upwards.indexOf(Math.max(...upwards));
  if (axis === 2) return volume;
  const order = [...[0, 1, 2].filter((one) => one !== axis), axis] as [number, number, number];
  const strides = [size[1] * size[2], size[2], 1];
  const [nx, ny, nz] = order.map((one) => size[one]!) as [number, number, number];
  const [sx, sy, sz] = order.map((one) => strides[one]!) as [number, number, number];
  const turned = new Float32Array(data.length);
  let at = 0;
  for (let x = 0; x < nx; x++)
    for (let y = 0; y < ny; y++) for (let z = 0; z < nz; z++) turned[at++] = data[x * sx + y * sy + z * sz]!;
  const columns = affine.map((row) => [...order.map((one) => row[one]!), row[3]!]);
  return { data: turned, size: [nx, ny, nz], affine: columns };
}

function lengthOf(affine: Affine, axis: number): number {
  return Math.hypot(affine[0]![axis]!, affine[1]![axis]!, affine[2]![axis]!);
}
