/**
 * Reads NIfTI-1 and NIfTI-2 single files, plain or gzip, of either byte order.
 *
 * @module
 */
import type { Affine } from '../affine';
import { badFile } from '../data-error';
import { readBounded } from './byte-source';
import type { NiftiDType } from './datatype';
import { checkExtensions } from './extensions';
import { HEAD_BYTES, type NiftiHeader, parseHeader, voxelBytes } from './header';
import { chooseAffine } from './orientation';
import { decodeVoxels, isScaled } from './voxels';

export interface NiftiVolume {
  /** Intensities in C order of `shape`, after scl_slope and scl_inter. May hold NaN: the caller says whether that is fit for use. */
  readonly data: Float32Array;
  /** [x, y, z] or [x, y, z, t], each ≥ 1. */
  readonly shape: readonly number[];
  /** Voxel → world. */
  readonly affine: Affine;
  /** How a voxel is stored in the file. */
  readonly dtypeOnDisk: NiftiDType;
  /** What was odd about the file and how it was taken; without patient data. */
  readonly warnings: readonly string[];
}

/**
 * Reads a volume. Memory is taken only after the header has been checked, and never for more than it declares.
 *
 * @throws DataError naming the file and the field: missing, unreadable, truncated, damaged or unsupported.
 */
export async function readNifti(path: string): Promise<NiftiVolume> {
  let header: NiftiHeader | undefined;
  const { bytes, trailing } = await readBounded(path, HEAD_BYTES, (head) => {
    header = parseHeader(head, path);
    checkScaling(header, path);
    return header.voxelOffset + voxelBytes(header);
  });
  const checked = header!;
  checkExtensions(bytes, checked, path);
  const { affine, warnings } = chooseAffine(checked, path);
  return {
    data: decodeVoxels(bytes.subarray(checked.voxelOffset), checked),
    shape: checked.shape,
    affine,
    dtypeOnDisk: checked.dtype,
    warnings: trailing === 0 ? warnings : [...warnings, `${trailing} bytes after the voxels are ignored`],
  };
}

function checkScaling(header: NiftiHeader, file: string): void {
  if (!isScaled(header) || Number.isFinite(header.intercept)) return;
  const problem = `scl_inter is ${header.intercept} with scl_slope ${header.slope}, expected a finite number.`;
  throw badFile(file, problem, 'Set scl_inter to 0, or export the volume again.');
}
