/**
 * Adam (Kingma & Ba 2015, arXiv:1412.6980) with coupled L2 decay, and AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101)
 * with decoupled decay, in PyTorch's order of operations.
 *
 * @module
 */
import type { Builder } from '../../graph/builder';
import type { Value } from '../../graph/graph';
import type { OptimiserSettingsOf } from '../../jobs/optimiser-spec';
import { lerp, meanOfSquares, type OptimiserRule, type ParameterState, withL2 } from './rule';

interface Moments {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

const slots = (): readonly string[] => ['m', 'v'];

/** stepSize = lr/(1 − β₁ᵗ) and correction = √(1 − β₂ᵗ). */
function corrections({ beta1, beta2 }: Moments, learningRate: number, step: number) {
  return { stepSize: learningRate / (1 - beta1 ** step), correction: Math.sqrt(1 - beta2 ** step) };
}

/** m += (1 − β₁)(g − m); v = β₂v + (1 − β₂)g²; w −= stepSize·m / (√v/correction + ε). */
function descend(
  b: Builder,
  { w, slots: { m, v } }: ParameterState,
  g: Value,
  { stepSize, correction }: Readonly<Record<string, Value>>,
  { beta1, beta2, epsilon }: Moments,
): ParameterState {
  const nextM = lerp(b, m!, g, 1 - beta1);
  const nextV = meanOfSquares(b, v!, g, beta2);
  const denominator = b.add(b.div(b.sqrt(nextV), correction!), b.scalar(epsilon));
  return { w: b.sub(w, b.mul(stepSize!, b.div(nextM, denominator))), slots: { m: nextM, v: nextV } };
}

/** The penalty is part of the gradient: g + decay·w. */
export const adam: OptimiserRule<OptimiserSettingsOf<'adam'>> = {
  slots,
  scalars: corrections,
  step: (b, state, gradient, scalars, settings) =>
    descend(b, state, withL2(b, gradient, state.w, settings.weightDecay), scalars, settings),
};

/** Weights shrink beside the gradient: w·(1 − lr·decay), then Adam's step. */
export const adamw: OptimiserRule<OptimiserSettingsOf<'adamw'>> = {
  slots,
  scalars: (settings, learningRate, step) => ({
    ...corrections(settings, learningRate, step),
    shrinkage: 1 - learningRate * settings.weightDecay,
  }),
  step: (b, { w, slots: moments }, gradient, scalars, settings) =>
    descend(b, { w: b.mul(w, scalars.shrinkage!), slots: moments }, gradient, scalars, settings),
};
