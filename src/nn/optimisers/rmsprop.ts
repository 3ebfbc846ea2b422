/**
 * RMSprop (Hinton 2012; centred: Graves 2013, arXiv:1308.0850) in PyTorch's order of operations.
 *
 * @module
 */
import type { OptimiserSettingsOf } from '../../jobs/optimiser-spec';
import { lerp, meanOfSquares, type OptimiserRule, withL2 } from './rule';

/**
 * g' = g + decay·w; s = αs + (1 − α)g'²; d = g' / (√s + ε), centred d = g' / (√(s − a²) + ε) with a += (1 − α)(g' − a);
 * buffer = momentum·buffer + d; w −= lr·buffer, without momentum w −= lr·d.
 */
export const rmsprop: OptimiserRule<OptimiserSettingsOf<'rmsprop'>> = {
  slots: ({ centered, momentum }) => ['square', ...(centered ? ['mean'] : []), ...(momentum > 0 ? ['momentum'] : [])],
  scalars: (_, learningRate) => ({ learningRate }),
  step(b, { w, slots }, gradient, { learningRate }, { weightDecay, alpha, epsilon, momentum, centered }) {
    const g = withL2(b, gradient, w, weightDecay);
    const square = meanOfSquares(b, slots.square!, g, alpha);
    const mean = centered ? lerp(b, slots.mean!, g, 1 - alpha) : undefined;
    const spread = mean ? b.sub(square, b.mul(mean, mean)) : square;
    const scaled = b.div(g, b.add(b.sqrt(spread), b.scalar(epsilon)));
    const buffer = momentum > 0 ? b.add(b.scale(slots.momentum!, momentum), scaled) : undefined;
    return {
      w: b.sub(w, b.mul(learningRate!, buffer ?? scaled)),
      slots: { square, ...(mean && { mean }), ...(buffer && { momentum: buffer }) },
    };
  },
};
