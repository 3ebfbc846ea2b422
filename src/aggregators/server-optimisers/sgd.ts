import type { ServerRule } from './rule';

/**
 * Gradient descent with momentum on −Δ as the gradient: FedAvgM (Hsu et al. 2019, arXiv:1909.06335; FedOpt with SGD in Reddi
 * et al. 2021, arXiv:2003.00295), with momentum in PyTorch's form:
 *
 *     b ← momentum·b + Δ        w ← w + η·b,   or with Nesterov   w ← w + η·(Δ + momentum·b)
 */
export const sgd: ServerRule<'sgd'> = {
  slots: ({ momentum }) => (momentum > 0 ? { b: 0 } : {}),
  step({ momentum, nesterov }, { delta, slots: { b }, rate }) {
    if (!b) return delta.map((change) => rate * change);
    return delta.map((change, i) => {
      b[i] = momentum * b[i]! + change;
      return rate * (nesterov ? change + momentum * b[i]! : b[i]!);
    });
  },
};
