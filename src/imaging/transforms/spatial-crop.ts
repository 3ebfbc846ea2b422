/**
 * Cropping.
 *
 * @module
 */
import { shiftOrigin } from '../affine';
import { type Size3, spatialSize, type Volume } from '../volume';
import { cutBlock } from './block';

export interface CropOptions {
  /** First voxel kept along each axis. */
  readonly start: Size3;
  /** Extents kept; `start + size` lies inside the volume. */
  readonly size: Size3;
}

/** The box of the volume that starts at `start`, with its own origin. */
export function spatialCrop(volume: Volume, { start, size }: CropOptions): Volume {
  const [channels] = volume.shape;
  const data = cutBlock(volume.data, { channels, from: spatialSize(volume.shape), start, size });
  return { data, shape: [channels, ...size], affine: shiftOrigin(volume.affine, start) };
}
