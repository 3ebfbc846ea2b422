/**
 * Normalisation layers.
 *
 * @module
 */
import type { Builder } from '../../graph/builder';
import type { Value } from '../../graph/graph';
import { sizeOf } from '../../tensor/tensor';

/** ε of PyTorch's normalisation layers. */
const EPSILON = 1e-5;

/** Group normalisation (Wu & He 2018, arXiv:1803.08494) with scale and shift `[C]`. */
export function groupNorm(b: Builder, x: Value, scale: Value, shift: Value, groups: number): Value {
  return b.emit('GroupNorm', [x, scale, shift], { groups, epsilon: EPSILON });
}

export interface InstanceNormOptions {
  /** Whether the layer is being trained. */
  readonly training: boolean;
  /** `[C]`; 1 when omitted. */
  readonly scale?: Value;
  /** `[C]`; 0 when omitted. */
  readonly shift?: Value;
}

/**
 * Instance normalisation (Ulyanov et al. 2016, arXiv:1607.08022) of x `[N, C, ...spatial]`.
 *
 * @throws ShapeError in training when a channel has one voxel only: the result would be the shift, whatever x is
 */
export function instanceNorm(b: Builder, x: Value, options: InstanceNormOptions): Value {
  const channels = x.shape[1]!;
  if (options.training && sizeOf(x.shape.slice(2)) === 1) {
    throw b.shapeError(`Instance normalisation in training needs more than one voxel per channel, not [${x.shape}].`, {
      hint: 'Train with larger images, or a network of fewer levels.',
    });
  }
  const scale = options.scale ?? b.expand(b.scalar(1), [channels]);
  const shift = options.shift ?? b.expand(b.scalar(0), [channels]);
  return groupNorm(b, x, scale, shift, channels);
}
