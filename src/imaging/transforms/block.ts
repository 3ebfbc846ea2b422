/**
 * Copying boxes of voxels out of and into channel-first arrays, row by row.
 *
 * @module
 */
import { type Size3, voxelsOf } from '../volume';

export interface CutOptions {
  readonly channels: number;
  /** Extents of the array cut from. */
  readonly from: Size3;
  readonly start: Size3;
  /** Extents of the box; it lies inside. */
  readonly size: Size3;
}

/** The box `start … start + size` of each channel, as an array of its own. */
export function cutBlock(data: Float32Array, { channels, from, start, size }: CutOptions): Float32Array {
  const out = new Float32Array(channels * voxelsOf(size));
  let at = 0;
  for (let c = 0; c < channels; c++) {
    for (let x = 0; x < size[0]; x++) {
      for (let y = 0; y < size[1]; y++, at += size[2]) {
        const row = ((c * from[0] + start[0] + x) * from[1] + start[1] + y) * from[2] + start[2];
        out.set(data.subarray(row, row + size[2]), at);
      }
    }
  }
  return out;
}

export interface PlaceOptions {
  readonly channels: number;
  /** Extents of the box. */
  readonly size: Size3;
  /** Extents of the result. */
  readonly into: Size3;
  /** Where the box starts in it. */
  readonly at: Size3;
}

/** Zeros of `into` with the box `data` at `at`. */
export function placeBlock(data: Float32Array, { channels, size, into, at }: PlaceOptions): Float32Array {
  const out = new Float32Array(channels * voxelsOf(into));
  let from = 0;
  for (let c = 0; c < channels; c++) {
    for (let x = 0; x < size[0]; x++) {
      for (let y = 0; y < size[1]; y++, from += size[2]) {
        const row = ((c * into[0] + at[0] + x) * into[1] + at[1] + y) * into[2] + at[2];
        out.set(data.subarray(from, from + size[2]), row);
      }
    }
  }
  return out;
}
