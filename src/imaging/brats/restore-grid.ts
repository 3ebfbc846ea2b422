/**
 * From the network's grid back to that of the files.
 *
 * @module
 */
import { type Affine, inverse, multiply } from '../affine';
import { roundHalfEven } from '../round';
import { type Size3, spatialSize, voxelsOf } from '../volume';
import type { ValidationVolume } from './validation';

/** A label map on the grid of a case's files. */
export interface RestoredLabels {
  /** C order of `shape`. */
  readonly data: Uint8Array;
  readonly shape: Size3;
  readonly affine: Affine;
}

/**
 * A label map of the network's grid on the grid of the case's files: each voxel takes the label at its place in the world (the
 * nearest one where voxel sizes differ), 0 outside. Undoes padding, orientation and spacing.
 *
 * @param labels one label per voxel of `volume`, C order.
 */
export function restoreGrid(
  labels: Uint8Array,
  volume: Pick<ValidationVolume, 'shape' | 'affine' | 'original'>,
): RestoredLabels {
  const { shape, affine } = volume.original;
  const [nx, ny, nz] = spatialSize(volume.shape);
  const toNetwork = multiply(inverse(volume.affine), affine);
  const [ax, ay, az] = toNetwork as [number[], number[], number[]];
  const data = new Uint8Array(voxelsOf(shape));
  let at = 0;
  for (let x = 0; x < shape[0]; x++) {
    for (let y = 0; y < shape[1]; y++) {
      for (let z = 0; z < shape[2]; z++, at++) {
        const i = nearest(ax, x, y, z);
        const j = nearest(ay, x, y, z);
        const k = nearest(az, x, y, z);
        const inside = i >= 0 && i < nx && j >= 0 && j < ny && k >= 0 && k < nz;
        if (inside) data[at] = labels[(i * ny + j) * nz + k]!;
      }
    }
  }
  return { data, shape, affine };
}

function nearest(row: readonly number[], x: number, y: number, z: number): number {
  return roundHalfEven(row[0]! * x + row[1]! * y + row[2]! * z + row[3]!);
}
