/**
 * Channel dropout (Tompson et al. 2015, arXiv:1411.4280): whole channels are zeroed, the others scaled up.
 *
 * @module
 */
import type { Builder } from '../../graph/builder';
import type { Value } from '../../graph/graph';
import type { MersenneTwister } from '../../util/mersenne-twister';

/** x `[N, C, ...]` times the factors `[N, C]`. */
export function applyChannelMask(b: Builder, x: Value, mask: Value): Value {
  return b.mul(x, b.reshape(mask, [...mask.shape, ...x.shape.slice(2).map(() => 1)]));
}

/** Factors for `count` channels: 0 with the given chance, else 1/(1 − probability). One draw each. */
export function drawChannelMask(random: MersenneTwister, count: number, probability: number): Float32Array {
  const kept = 1 / (1 - probability);
  return Float32Array.from({ length: count }, () => (random.random() < probability ? 0 : kept));
}
