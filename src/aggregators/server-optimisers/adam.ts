import { firstSquare, type ServerRule } from './rule';

/**
 * FedAdam (Reddi et al. 2021, arXiv:2003.00295, algorithm 2), without bias correction unless it is asked for:
 *
 *     m ← β₁·m + (1 − β₁)·Δ        v ← β₂·v + (1 − β₂)·Δ²        w ← w + η·m / (√v + τ)
 */
export const adam: ServerRule<'adam'> = {
  slots: (settings) => ({ m: 0, v: firstSquare(settings) }),
  step({ beta1, beta2, tau, biasCorrection }, { delta, slots, rate, round }) {
    const m = slots.m!;
    const v = slots.v!;
    const correct1 = biasCorrection ? 1 - beta1 ** (round + 1) : 1;
    const correct2 = biasCorrection ? 1 - beta2 ** (round + 1) : 1;
    return delta.map((change, i) => {
      m[i] = beta1 * m[i]! + (1 - beta1) * change;
      v[i] = beta2 * v[i]! + (1 - beta2) * change * change;
      return (rate * (m[i]! / correct1)) / (Math.sqrt(v[i]! / correct2) + tau);
    });
  },
};
