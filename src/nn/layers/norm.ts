/**
 * Normalisation layers.
 *
 * @module
 */
import type { Builder } from '../../graph/builder';
import type { Value } from '../../graph/graph';

/** ε of PyTorch's normalisation layers. */
const EPSILON = 1e-5;

/** Group normalisation (Wu & He 2018, arXiv:1803.08494) with scale and shift `[C]`. */
export function groupNorm(b: Builder, x: Value, scale: Value, shift: Value, groups: number): Value {
  return b.emit('GroupNorm', [x, scale, shift], { groups, epsilon: EPSILON });
}

/** Instance normalisation (Ulyanov et al. 2016, arXiv:1607.08022), with scale and shift `[C]` where given. */
export function instanceNorm(b: Builder, x: Value, affine?: { readonly scale: Value; readonly shift: Value }): Value {
  const channels = x.shape[1]!;
  const scale = affine?.scale ?? b.expand(b.scalar(1), [channels]);
  const shift = affine?.shift ?? b.expand(b.scalar(0), [channels]);
  return groupNorm(b, x, scale, shift, channels);
}
