/**
 * Multi-channel volumes as plain data.
 *
 * @module
 */
import type { Affine } from './affine';

/** Extents of the three spatial axes. */
export type Size3 = readonly [number, number, number];

/** [channels, x, y, z]. */
export type VolumeShape = readonly [number, number, number, number];

/** A channel-first volume and its place in the world. */
export interface Volume {
  /** C order of `shape`. */
  readonly data: Float32Array;
  readonly shape: VolumeShape;
  /** Voxel → world, RAS+, mm. */
  readonly affine: Affine;
}

/** The spatial part of a volume's shape. */
export function spatialSize(shape: VolumeShape): Size3 {
  return [shape[1], shape[2], shape[3]];
}

/** Number of voxels of one channel. */
export function voxelsOf(size: Size3): number {
  return size[0] * size[1] * size[2];
}
