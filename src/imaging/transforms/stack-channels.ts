/**
 * Several single-channel NIfTI files as the channels of one volume.
 *
 * @module
 */
import { isClose } from '../affine';
import { badFile } from '../data-error';
import { type NiftiVolume, readNifti } from '../nifti/read-nifti';
import { type Volume, voxelsOf } from '../volume';

export interface StackedVolume extends Volume {
  /** What was odd about a file and how it was taken, with the file. */
  readonly warnings: readonly string[];
}

/**
 * Reads the files, in their order, into one channel each.
 *
 * @throws DataError when a file cannot be read, is not 3-D, or differs from the first in shape or affine.
 */
export async function stackChannels(files: readonly string[]): Promise<StackedVolume> {
  const volumes = await Promise.all(files.map((file) => readNifti(file)));
  const first = volumes[0]!;
  files.forEach((file, i) => {
    checkGeometry({ file, volume: volumes[i]! }, { file: files[0]!, volume: first });
  });
  const size = first.shape as [number, number, number];
  const data = new Float32Array(files.length * voxelsOf(size));
  volumes.forEach((volume, i) => {
    data.set(volume.data, i * voxelsOf(size));
  });
  return { data, shape: [files.length, ...size], affine: first.affine, warnings: warningsOf(files, volumes) };
}

/** The warnings of each volume, with its file. */
export function warningsOf(files: readonly string[], volumes: readonly NiftiVolume[]): string[] {
  return volumes.flatMap(({ warnings }, i) => warnings.map((warning) => `${files[i]}: ${warning}`));
}

/** A volume and where it came from. */
export interface FileVolume {
  readonly file: string;
  readonly volume: Pick<NiftiVolume, 'shape' | 'affine'>;
}

/** Refuses a volume that is not 3-D or not on the grid of `reference`. @throws DataError naming both. */
export function checkGeometry({ file, volume }: FileVolume, reference: FileVolume): void {
  const ALIGN =
    'All files of a case must be co-registered on one grid: resample the odd one, or take the case off the datalist.';
  const shape = volume.shape.join('×');
  if (volume.shape.length !== 3) throw badFile(file, `the shape is ${shape}, expected three axes.`, ALIGN);
  const expected = reference.volume.shape.join('×');
  if (shape !== expected) {
    throw badFile(file, `the shape is ${shape}, but ${reference.file} has ${expected}.`, ALIGN);
  }
  if (!isClose(volume.affine, reference.volume.affine)) {
    const affines = [volume.affine, reference.volume.affine].map((a) => JSON.stringify(a.slice(0, 3)));
    throw badFile(file, `the affine is ${affines[0]}, but ${reference.file} has ${affines[1]}.`, ALIGN);
  }
}
