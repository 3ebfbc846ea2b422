/**
 * Where a volume lies in the world: the choice among sform, qform and neither, and the repair of headers whose affine
 * disagrees with their voxel size. Rules: nifti1.h "method 1, 2, 3"; the repair is that of MONAI's NIfTI reader.
 *
 * @module
 */
import { type Affine, affineOf, linearPart, spacingOf, tryInverse } from '../affine';
import { badFile } from '../data-error';
import type { NiftiHeader } from './header';

/** Unit quaternions whose squared real part is this close to 0 have real part 0: three float32 roundings. */
const QUATERNION_EPSILON = 3 * 2 ** -23;

/**
 * The affine of a header: the sform when it is coded, else the qform when it is coded, else voxel sizes with x flipped around
 * the centre. When its voxel sizes differ from pixdim, whichever of sform and qform agrees with pixdim is taken instead.
 *
 * @returns the affine and what had to be repaired.
 * @throws DataError when the affine is not finite or has no inverse.
 */
export function chooseAffine(header: NiftiHeader, file: string): { affine: Affine; warnings: readonly string[] } {
  const warnings: string[] = [];
  const pixdim = repairPixdim(header.pixdim, warnings);
  const sform = header.sformCode === 0 ? undefined : affineOf(linearPart(header.srows), originOf(header.srows));
  const qform = affineOfQuaternion(header, pixdim);
  let affine = sform ?? (header.qformCode === 0 ? undefined : qform) ?? baseAffine(header.shape, pixdim);
  if (header.qformCode !== 0 && sform === undefined && qform === undefined) {
    const problem = `quatern_b, c, d = ${header.quaternion} are no rotation (their squares add up to more than 1).`;
    throw badFile(file, problem, 'Set a valid qform or sform, or export the volume again.');
  }
  if (sform !== undefined && qform !== undefined && !agrees(sform, pixdim) && agrees(qform, pixdim)) {
    affine = qform;
    warnings.push('the sform disagrees with pixdim, so the qform is used');
  }
  if (tryInverse(affine) === undefined || !affine.flat().every(Number.isFinite)) {
    const rows = affine.slice(0, 3).map((row) => `[${row}]`);
    const problem = `the affine ${rows.join(' ')} is not finite or maps the volume to a plane.`;
    throw badFile(file, problem, 'Set a valid sform or qform, or export the volume again.');
  }
  return { affine, warnings };
}

/** pixdim[1..3] with 0 made 1 and negative sizes made positive, and a qfac of ±1, as readers commonly do. */
function repairPixdim(pixdim: readonly number[], warnings: string[]): readonly number[] {
  const repaired = pixdim.slice(0, 4).map((size, i) => {
    if (i === 0) return size === -1 ? -1 : 1;
    return size === 0 ? 1 : Math.abs(size);
  });
  if (pixdim[0] !== 0 && repaired[0] !== pixdim[0]) warnings.push(`qfac ${pixdim[0]} is taken as 1`);
  for (let i = 1; i < 4; i++) {
    if (!Object.is(repaired[i], pixdim[i])) warnings.push(`pixdim[${i}] ${pixdim[i]} is taken as ${repaired[i]}`);
  }
  return repaired;
}

function originOf(rows: readonly (readonly number[])[]): number[] {
  return rows.map((row) => row[3]!);
}

/** Method 2: rotation by the quaternion (a, b, c, d), scaled by pixdim, third axis times qfac. Undefined: no rotation. */
function affineOfQuaternion(header: NiftiHeader, pixdim: readonly number[]): Affine | undefined {
  const [b, c, d] = header.quaternion as [number, number, number];
  const squared = 1 - (b * b + c * c + d * d);
  if (!(squared > -QUATERNION_EPSILON)) return undefined;
  const a = squared < QUATERNION_EPSILON ? 0 : Math.sqrt(squared);
  const unit = 2 / (a * a + b * b + c * c + d * d);
  const rotation = [
    [1 - unit * (c * c + d * d), unit * (b * c - a * d), unit * (b * d + a * c)],
    [unit * (b * c + a * d), 1 - unit * (b * b + d * d), unit * (c * d - a * b)],
    [unit * (b * d - a * c), unit * (c * d + a * b), 1 - unit * (b * b + c * c)],
  ];
  const zoom = [pixdim[1]!, pixdim[2]!, pixdim[3]! * pixdim[0]!];
  return affineOf(
    rotation.map((row) => row.map((value, j) => value * zoom[j]!)),
    header.qoffset,
  );
}

/** Method 1: voxel sizes only. x runs to the left and the world's origin is the centre, as in nibabel. */
function baseAffine(shape: readonly number[], pixdim: readonly number[]): Affine {
  const zoom = [-pixdim[1]!, pixdim[2]!, pixdim[3]!];
  const linear = zoom.map((value, i) => [0, 1, 2].map((j) => (i === j ? value : 0)));
  return affineOf(
    linear,
    zoom.map((value, i) => (-value * (shape[i]! - 1)) / 2),
  );
}

/** Whether the affine's voxel sizes equal pixdim (relative 1e-5, absolute 1e-8, as NumPy's `allclose`). */
function agrees(affine: Affine, pixdim: readonly number[]): boolean {
  return spacingOf(affine).every((size, i) => Math.abs(pixdim[i + 1]! - size) <= 1e-8 + 1e-5 * Math.abs(size));
}
