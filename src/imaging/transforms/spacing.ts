/**
 * Resampling to a voxel size.
 *
 * @module
 */
import {
  type Affine,
  affineOf,
  applyAffine,
  identity,
  inverse,
  isClose,
  linearPart,
  multiply,
  spacingOf,
  transpose,
  zoomAndShear,
} from '../affine';
import { roundHalfEven } from '../round';
import { type Size3, spatialSize, type Volume } from '../volume';
import { type Interpolation, resample } from './resample';

export interface SpacingOptions {
  /** Target voxel size in mm, > 0 per axis. */
  readonly pixdim: Size3;
  readonly mode: Interpolation;
}

/** A voxel size this close to its target is kept, and a resampling this close to the identity is none. */
const TOLERANCE = 1e-3;

/**
 * Resamples a volume to `pixdim`, keeping its rotation and removing shear. Values outside repeat the border. A volume that
 * has that voxel size already is returned as it is, not copied. Defines the same grid as MONAI's `Spacing`.
 */
export function spacing(volume: Volume, { pixdim, mode }: SpacingOptions): Volume {
  const size = spatialSize(volume.shape);
  const target = spacingOf(volume.affine).map((d, i) => (Math.abs(d - pixdim[i]!) <= TOLERANCE ? d : pixdim[i]!));
  const grid = targetGrid(volume.affine, size, target);
  const toInput = multiply(inverse(volume.affine), grid.affine);
  const unchanged = isClose(toInput, identity(4), TOLERANCE) && grid.size.every((n, i) => n === size[i]);
  if (unchanged) return { ...volume, affine: grid.affine };
  return { ...resample(volume, { toInput, size: grid.size, mode }), affine: grid.affine };
}

/** The output grid: the rotation of `affine` with voxel size `target`, covering the corners of the input. */
function targetGrid(affine: Affine, size: Size3, target: readonly number[]): { affine: Affine; size: Size3 } {
  const linear = linearPart(affine);
  const rotation = multiply(linear, inverse(zoomAndShear(linear)));
  const zoomed = rotation.map((row) => row.map((value, j) => value * target[j]!));

  const corners = cornersOf(size);
  const toOutput = inverse(affineOf(zoomed, [0, 0, 0]));
  const placed = corners.map((corner) => applyAffine(toOutput, applyAffine(affine, corner)));
  const axes = transpose(placed);
  const extent = axes.map((values) => roundHalfEven(Math.max(...values) - Math.min(...values) + 1));
  const outputSize = extent as unknown as Size3;

  const first = placed.findIndex((corner) =>
    corner.every((value, i) => Math.abs(Math.min(...axes[i]!) - value) <= 1e-8),
  );
  const origin =
    first >= 0 ? applyAffine(affine, corners[first]!) : centredOrigin(affine, size, { zoomed, outputSize });
  return { affine: affineOf(zoomed, origin), size: outputSize };
}

/** The eight corner voxels, last axis fastest. */
function cornersOf(size: Size3): number[][] {
  return Array.from({ length: 8 }, (_, i) => [i >> 2, (i >> 1) & 1, i & 1].map((bit, axis) => bit * (size[axis]! - 1)));
}

/** The origin that puts index n/2 of the output where index n/2 of the input is, for the extents n of each. */
function centredOrigin(
  affine: Affine,
  size: Size3,
  { zoomed, outputSize }: { readonly zoomed: number[][]; readonly outputSize: Size3 },
): number[] {
  const centre = applyAffine(
    affine,
    size.map((n) => n / 2),
  );
  const offset = applyAffine(
    affineOf(zoomed, [0, 0, 0]),
    outputSize.map((n) => n / 2),
  );
  return centre.map((value, i) => value - offset[i]!);
}
