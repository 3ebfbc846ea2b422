import { firstSquare, type ServerRule } from './rule';

/**
 * FedYogi (Reddi et al. 2021, arXiv:2003.00295, algorithm 2): Adam whose running square moves by (1 − β₂)·Δ² at most.
 *
 *     m ← β₁·m + (1 − β₁)·Δ        v ← v − (1 − β₂)·Δ²·sign(v − Δ²)        w ← w + η·m / (√v + τ)
 */
export const yogi: ServerRule<'yogi'> = {
  slots: (settings) => ({ m: 0, v: firstSquare(settings) }),
  step({ beta1, beta2, tau }, { delta, slots, rate }) {
    const m = slots.m!;
    const v = slots.v!;
    return delta.map((change, i) => {
      const square = change * change;
      m[i] = beta1 * m[i]! + (1 - beta1) * change;
      v[i] = v[i]! - (1 - beta2) * square * Math.sign(v[i]! - square);
      return (rate * m[i]!) / (Math.sqrt(v[i]!) + tau);
    });
  },
};
