/**
 * The validation pipeline of the BraTS18 example.
 *
 * @module
 */
import type { Affine } from '../affine';
import type { DatalistItem } from '../datalist';
import { divisiblePad } from '../transforms/divisible-pad';
import { normalizeNonzero } from '../transforms/normalize-intensity';
import { orientRas } from '../transforms/orientation';
import type { Size3, VolumeShape } from '../volume';
import { loadCase } from './load-case';

/** A whole case, ready for the network. */
export interface ValidationVolume {
  /** [4, x, y, z], C order: the extents are multiples of 32. */
  readonly image: Float32Array;
  readonly shape: VolumeShape;
  /** [3, x, y, z], 0 or 1. */
  readonly label: Float32Array;
  /** Voxel → world of both, RAS. */
  readonly affine: Affine;
  /** As in a training case. */
  readonly warnings: readonly string[];
  /** The grid of the files. */
  readonly original: { readonly shape: Size3; readonly affine: Affine };
}

const PAD_MULTIPLE = 32;

/**
 * Load, regions, 1 mm voxels, zeros to multiples of 32, RAS, normalisation.
 *
 * @throws DataError when a file cannot be read, or the files do not make up a case.
 */
export async function loadValidationCase(files: DatalistItem): Promise<ValidationVolume> {
  const loaded = await loadCase(files);
  const image = orientRas(divisiblePad(loaded.image, PAD_MULTIPLE));
  const label = orientRas(divisiblePad(loaded.label, PAD_MULTIPLE));
  normalizeNonzero(image.data, image.shape);
  const { warnings, original } = loaded;
  return { image: image.data, shape: image.shape, label: label.data, affine: image.affine, warnings, original };
}
