/**
 * Which image sizes a model takes.
 *
 * @module
 */
import { type PerAxis, strideProducts } from '../../util/per-axis';
import type { ModelSpec } from '../model-spec';

/** What the length of each axis must be a multiple of: lengths are divided on the way down and must come back on the way up. */
export function spatialDivisor(model: ModelSpec): PerAxis {
  switch (model.kind) {
    case 'segresnet':
      return 2 ** (model.blocksDown.length - 1);
    case 'monai-unet':
    case 'dynunet':
      return strideProducts(model.spatialDims, model.strides);
    case 'pflsynth':
      return 4;
    case 'translation-unet':
    case 'basic-unet':
    case 'patchgan':
      return 1;
  }
}

/** Spatial axes of the model's images. */
export function spatialDimsOf(model: ModelSpec): number {
  return 'spatialDims' in model ? model.spatialDims : 2;
}
