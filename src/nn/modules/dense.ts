/**
 * Dense layers as modules.
 *
 * @module
 */
import { matMul, swapLast } from '../../graph/functions';
import type { ParameterSpec } from '../models/definition';
import { leaf, type Module } from './module';

/** PyTorch's Linear without bias: x `[N, ins]` → `[N, outs]`; `weight` [outs, ins]. */
export function linear(ins: number, outs: number): Module {
  const weight: ParameterSpec = { name: 'weight', shape: [outs, ins], initialiser: { kind: 'uniform', fanIn: ins } };
  return leaf([{ parameter: weight }], ({ b, parameter }, x) => matMul(b, x!, swapLast(b, parameter('weight'))));
}

export interface EqualisedOptions {
  readonly ins: number;
  readonly outs: number;
  /** Factor of He's deviation: √2 before a ReLU. */
  readonly gain: number;
  /** How much slower than others the layer learns, (0, 1]. */
  readonly rateFactor: number;
}

/**
 * A dense layer with equalised learning rate (Karras et al. 2018, arXiv:1710.10196; 2019, arXiv:1812.04948): weights are
 * N(0, 1/rateFactor) and scaled when used, so that steps of equal size mean equally much in every layer.
 */
export function equalisedLinear({ ins, outs, gain, rateFactor }: EqualisedOptions): Module {
  const deviation = 1 / rateFactor;
  const weight: ParameterSpec = {
    name: 'weight',
    shape: [outs, ins],
    initialiser: { kind: 'normal', mean: 0, deviation },
  };
  const bias: ParameterSpec = { name: 'bias', shape: [outs], initialiser: { kind: 'constant', value: 0 } };
  return leaf([{ parameter: weight }, { parameter: bias }], ({ b, parameter }, x) => {
    const product = matMul(b, x!, swapLast(b, parameter('weight')));
    return b.add(b.scale(product, (gain / Math.sqrt(ins)) * rateFactor), b.scale(parameter('bias'), rateFactor));
  });
}
