/**
 * Stochastic gradient descent in PyTorch's order of operations. Its momentum is not scaled by the learning rate, and
 * starts as the first gradient, undampened.
 *
 * @module
 */
import type { OptimiserSettingsOf } from '../../jobs/optimiser-spec';
import { type OptimiserRule, withL2 } from './rule';

/**
 * g' = g + decay·w; buffer = momentum·buffer + (1 − dampening)·g', its first value being g'; w −= lr·d with d = buffer, with
 * Nesterov's momentum d = g' + momentum·buffer, without momentum d = g'.
 */
export const sgd: OptimiserRule<OptimiserSettingsOf<'sgd'>> = {
  slots: ({ momentum }) => (momentum > 0 ? ['momentum'] : []),
  scalars: ({ momentum, dampening }, learningRate, step) => ({
    learningRate,
    ...(momentum > 0 && dampening !== 0 && { share: step === 1 ? 1 : 1 - dampening }),
  }),
  step(b, { w, slots }, gradient, { learningRate, share }, { weightDecay, momentum, dampening, nesterov }) {
    const g = withL2(b, gradient, w, weightDecay);
    if (momentum === 0) return { w: b.sub(w, b.mul(learningRate!, g)), slots };
    const kept = dampening === 0 ? g : b.mul(g, share!);
    const buffer = b.add(b.scale(slots.momentum!, momentum), kept);
    const direction = nesterov ? b.add(g, b.scale(buffer, momentum)) : buffer;
    return { w: b.sub(w, b.mul(learningRate!, direction)), slots: { momentum: buffer } };
  },
};
