/**
 * Mirroring.
 *
 * @module
 */
import type { VolumeShape } from '../volume';

/** Reverses a channel-first array along spatial axis 0, 1 or 2, in place. */
export function flipInPlace(data: Float32Array, [, nx, ny, nz]: VolumeShape, axis: number): void {
  const extents = [nx, ny, nz];
  const n = extents[axis]!;
  const inner = extents.slice(axis + 1).reduce((product, extent) => product * extent, 1);
  const outer = data.length / (n * inner);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < n >> 1; i++) {
      let low = (o * n + i) * inner;
      let high = (o * n + n - 1 - i) * inner;
      for (let k = 0; k < inner; k++, low++, high++) {
        const swap = data[low]!;
        data[low] = data[high]!;
        data[high] = swap;
      }
    }
  }
}
