/**
 * Dropout (Srivastava et al. 2014) and channel dropout (Tompson et al. 2015, arXiv:1411.4280): what is not dropped is
 * scaled up. The factors are drawn outside the graph.
 *
 * @module
 */
import type { Builder } from '../../graph/builder';
import type { Value } from '../../graph/graph';
import type { Shape } from '../../tensor/tensor';
import type { MersenneTwister } from '../../util/mersenne-twister';
import type { DropoutSite } from '../models/definition';

/** The shape of the factors for an activation `[N, C, ...]`. */
export function maskShape(x: Shape, per: DropoutSite['per']): Shape {
  return per === 'channel' ? x.slice(0, 2) : x;
}

/** x `[N, C, ...]` times the factors, of `maskShape`. */
export function applyMask(b: Builder, x: Value, mask: Value): Value {
  const missing = x.shape.length - mask.shape.length;
  return b.mul(x, b.reshape(mask, [...mask.shape, ...new Array<number>(missing).fill(1)]));
}

/** `count` factors: 0 with the given chance, else 1/(1 − probability). One draw each. */
export function drawMask(random: MersenneTwister, count: number, probability: number): Float32Array {
  const kept = 1 / (1 - probability);
  const mask = new Float32Array(count);
  for (let i = 0; i < count; i++) mask[i] = random.random() < probability ? 0 : kept;
  return mask;
}
