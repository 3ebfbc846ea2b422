import { type Affine, inverse, multiply } from './affine';
import type { Size3 } from './volume';

/** A label map and its place in the world. */
export interface LabelMap {
  /** C order of `shape`. */
  readonly data: Uint8Array;
  readonly shape: Size3;
  /** Voxel → world, RAS+, mm. */
  readonly affine: Affine;
}

/**
 * The label map on another grid: each voxel takes the label of the nearest voxel in the world, 0 where there is none. Exact
 * when the grids differ by flips, permutations and padding only.
 */
export function resampleLabels(
  { data, shape, affine }: LabelMap,
  grid: { readonly shape: Size3; readonly affine: Affine },
): LabelMap {
  const toSource = multiply(inverse(affine), grid.affine);
  const [nx, ny, nz] = grid.shape;
  const labels = new Uint8Array(nx * ny * nz);
  let at = 0;
  for (let x = 0; x < nx; x++) {
    for (let y = 0; y < ny; y++) {
      for (let z = 0; z < nz; z++) {
        const i = sourceIndex(toSource[0]!, x, y, z);
        const j = sourceIndex(toSource[1]!, x, y, z);
        const k = sourceIndex(toSource[2]!, x, y, z);
        const inside = i >= 0 && i < shape[0] && j >= 0 && j < shape[1] && k >= 0 && k < shape[2];
        labels[at++] = inside ? data[(i * shape[1] + j) * shape[2] + k]! : 0;
      }
    }
  }
  return { data: labels, shape: grid.shape, affine: grid.affine };
}

function sourceIndex(row: readonly number[], x: number, y: number, z: number): number {
  return Math.round(row[0]! * x + row[1]! * y + row[2]! * z + row[3]!);
}
