/**
 * Activations and dropout as modules.
 *
 * @module
 */
import { elu, leakyRelu, mish, pRelu, silu, tanh } from '../../graph/functions';
import type { ActivationSpec } from '../../jobs/models/common';
import type { DropoutSite } from '../models/definition';
import { leaf, type Module, stateless } from './module';

/** The activation that a specification names. PReLU has one trained slope, `weight` [1], that starts at 0.25. */
export function activation(spec: ActivationSpec): Module {
  switch (spec.kind) {
    case 'relu':
      return stateless((b, x) => b.relu(x!));
    case 'leaky-relu':
      return stateless((b, x) => leakyRelu(b, x!, spec.slope));
    case 'prelu':
      return leaf(
        [{ parameter: { name: 'weight', shape: [1], initialiser: { kind: 'constant', value: 0.25 } } }],
        (at, x) => pRelu(at.b, x!, at.parameter('weight')),
      );
    case 'silu':
      return stateless((b, x) => silu(b, x!));
    case 'mish':
      return stateless((b, x) => mish(b, x!));
    case 'elu':
      return stateless((b, x) => elu(b, x!));
    case 'sigmoid':
      return stateless((b, x) => b.sigmoid(x!));
    case 'tanh':
      return stateless((b, x) => tanh(b, x!));
  }
}

/** Drops activations in training, and is nothing at evaluation. */
export function dropout(site: Omit<DropoutSite, 'name'>): Module {
  return leaf([], (at, x) => at.dropout(x!, site));
}
