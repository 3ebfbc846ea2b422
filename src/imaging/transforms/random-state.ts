/**
 * The random draws of the training transforms, equal to those of a MONAI `Compose` with `set_random_state(seed)`.
 *
 * @module
 */
import { MersenneTwister } from '../../util/mersenne-twister';
import type { Size3 } from '../volume';

/** What one sample is augmented with. */
export interface AugmentationDraw {
  /** First voxel of the crop. */
  readonly start: Size3;
  /** Whether to mirror along each axis. */
  readonly flips: readonly [boolean, boolean, boolean];
  /** Relative change of the intensities, in [−0.1, 0.1). */
  readonly factor: number;
  /** Added to the intensities, in [−0.1, 0.1). */
  readonly offset: number;
}

/** Draws one sample after the other. */
export interface ComposeRandomState {
  /** The next sample's draws for an image of `size` and a crop of `roi`, each axis at most `size`. */
  draw(size: Size3, roi: Size3): AugmentationDraw;
}

/** Bound of the relative and absolute intensity changes. */
const INTENSITY_RANGE = 0.1;

/** The seeds of the six random transforms: crop, flip along 0, 1, 2, scale, shift; one raw 32-bit draw each. */
export function transformSeeds(seed: number): number[] {
  const seeds = new MersenneTwister(seed);
  return Array.from({ length: 6 }, () => seeds.uint32());
}

/**
 * The stream of draws under `seed` (its low 32 bits). Every transform has a generator of its own, so the samples are drawn
 * in order and each transform's draws do not depend on the others'.
 */
export function composeRandomState(seed: number): ComposeRandomState {
  const [crop, flip0, flip1, flip2, scale, shift] = transformSeeds(seed).map((s) => new MersenneTwister(s)) as [
    MersenneTwister,
    MersenneTwister,
    MersenneTwister,
    MersenneTwister,
    MersenneTwister,
    MersenneTwister,
  ];
  const startOf = (n: number, roi: number): number => (n > roi ? crop.randint(0, n - roi + 1) : 0);
  return {
    draw: (size, roi) => ({
      start: [startOf(size[0], roi[0]), startOf(size[1], roi[1]), startOf(size[2], roi[2])],
      flips: [flip0.random() < 0.5, flip1.random() < 0.5, flip2.random() < 0.5],
      factor: afterProbability(scale),
      offset: afterProbability(shift),
    }),
  };
}

/** A transform that always applies still draws whether it does, and then its amount. */
function afterProbability(generator: MersenneTwister): number {
  generator.random();
  return generator.uniform(-INTENSITY_RANGE, INTENSITY_RANGE);
}
