import { firstSquare, type ServerRule } from './rule';

/**
 * FedAdagrad (Reddi et al. 2021, arXiv:2003.00295, algorithm 2):
 *
 *     m ← β₁·m + (1 − β₁)·Δ        v ← v + Δ²        w ← w + η·m / (√v + τ)
 */
export const adagrad: ServerRule<'adagrad'> = {
  slots: (settings) => ({ m: 0, v: firstSquare(settings) }),
  step({ beta1, tau }, { delta, slots, rate }) {
    const m = slots.m!;
    const v = slots.v!;
    return delta.map((change, i) => {
      m[i] = beta1 * m[i]! + (1 - beta1) * change;
      v[i] = v[i]! + change * change;
      return (rate * m[i]!) / (Math.sqrt(v[i]!) + tau);
    });
  },
};
