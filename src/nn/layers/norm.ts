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
