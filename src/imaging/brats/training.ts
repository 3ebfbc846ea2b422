/**
 * The training pipeline of the BraTS18 example: a cacheable part without randomness, and a random part for each epoch.
 *
 * @module
 */
import { ConfigError } from '../../errors';
import type { DatalistItem } from '../datalist';
import { flipInPlace } from '../transforms/flip';
import { normalizeNonzero } from '../transforms/normalize-intensity';
import { orientRas } from '../transforms/orientation';
import type { ComposeRandomState } from '../transforms/random-state';
import { scaleShiftIntensity } from '../transforms/scale-shift';
import { spatialCrop } from '../transforms/spatial-crop';
import { type Size3, spatialSize } from '../volume';
import { type BratsCase, loadCase } from './load-case';

/** A loaded case before anything random. */
export type TrainingCase = BratsCase;

/** A sample for one training step, channel-first without the batch axis. */
export interface AugmentedSample {
  /** [4, ...shape] */
  readonly image: Float32Array;
  /** [3, ...shape], 0 or 1. */
  readonly label: Float32Array;
  /** Spatial extents. */
  readonly shape: Size3;
}

/**
 * The part of the pipeline before the first random transform: load, regions, 1 mm voxels, RAS. Fit for a cache.
 *
 * @throws DataError when a file cannot be read, or the files do not make up a case.
 */
export async function loadTrainingCase(files: DatalistItem): Promise<TrainingCase> {
  const { image, label, warnings } = await loadCase(files);
  return { image: orientRas(image), label: orientRas(label), warnings };
}

/**
 * The random part on a copy of the crop: crop, flips, normalisation, scale, shift. Takes one sample's draws from `random`.
 *
 * @param roi extents of the crop, each at most that of the case.
 * @throws ConfigError when the roi is larger than the case.
 */
export function augment({ image, label }: TrainingCase, roi: Size3, random: ComposeRandomState): AugmentedSample {
  const size = spatialSize(image.shape);
  checkRoiFits(roi, size);
  const { start, flips, factor, offset } = random.draw(size, roi);
  const croppedImage = spatialCrop(image, { start, size: roi });
  const croppedLabel = spatialCrop(label, { start, size: roi });
  flips.forEach((flipped, axis) => {
    if (!flipped) return;
    flipInPlace(croppedImage.data, croppedImage.shape, axis);
    flipInPlace(croppedLabel.data, croppedLabel.shape, axis);
  });
  normalizeNonzero(croppedImage.data, croppedImage.shape);
  scaleShiftIntensity(croppedImage.data, factor, offset);
  return { image: croppedImage.data, label: croppedLabel.data, shape: roi };
}

function checkRoiFits(roi: Size3, size: Size3): void {
  if (roi.every((n, axis) => n <= size[axis]!)) return;
  const fitting = size.map((n) => Math.floor(n / 8) * 8).join(' ');
  throw new ConfigError(`--roi_size is ${roi.join(' ')}, but an image is only ${size.join('×')} voxels (at 1 mm).`, {
    hint: `Use --roi_size ${fitting} or less: the largest multiples of 8 that fit this image.`,
  });
}
