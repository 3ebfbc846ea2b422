/**
 * Padding with zeros to extents that a network can halve.
 *
 * @module
 */
import { shiftOrigin } from '../affine';
import { spatialSize, type Volume } from '../volume';
import { placeBlock } from './block';

/** Pads each spatial axis with zeros to a multiple of `k`, half of it (rounded down) before the image. */
export function divisiblePad(volume: Volume, k: number): Volume {
  const [channels] = volume.shape;
  const size = spatialSize(volume.shape);
  const padded = size.map((n) => Math.ceil(n / k) * k) as [number, number, number];
  if (padded.every((n, i) => n === size[i])) return volume;
  const low = size.map((n, i) => Math.floor((padded[i]! - n) / 2)) as [number, number, number];
  const data = placeBlock(volume.data, { channels, size, into: padded, at: low });
  const origin = low.map((n) => -n);
  return { data, shape: [channels, ...padded], affine: shiftOrigin(volume.affine, origin) };
}
