import type { Size3 } from '../volume';

/** A voxel below this is dark. */
const DARK = 1e-4;

/** An axial slice is kept when less than this share of it is dark. */
export const MOST_DARK = 0.8;

/**
 * Places along the last axis from the first to the last slice that is bright enough, those between them included: so every
 * contrast of a patient has the same slices. None when all are dark.
 *
 * @param data C order of `size`; the last axis runs along the body.
 * @param mostDark share in (0, 1].
 */
export function keptSlices(data: ArrayLike<number>, size: Size3, mostDark: number): readonly number[] {
  const [nx, ny, nz] = size;
  const dark = new Float64Array(nz);
  for (let i = 0; i < nx * ny; i++) {
    for (let z = 0; z < nz; z++) if (!(data[i * nz + z]! >= DARK)) dark[z]!++;
  }
  const bright = Array.from(dark.keys()).filter((z) => dark[z]! / (nx * ny) < mostDark);
  if (bright.length === 0) return [];
  const first = bright[0]!;
  return Array.from({ length: bright.at(-1)! - first + 1 }, (_, i) => first + i);
}

/** One axial slice, [X, Y] in C order. */
export function axialSlice<T extends Float32Array | Uint16Array | Uint8Array>(data: T, size: Size3, z: number): T {
  const [nx, ny, nz] = size;
  const slice = new (data.constructor as { new (length: number): T })(nx * ny);
  for (let i = 0; i < slice.length; i++) slice[i] = data[i * nz + z]!;
  return slice;
}
