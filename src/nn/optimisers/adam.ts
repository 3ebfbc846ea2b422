/**
 * Adam (Kingma & Ba 2015, arXiv:1412.6980) with coupled L2 decay, in PyTorch's order of operations.
 *
 * @module
 */
import { z } from 'zod';
import type { Builder } from '../../graph/builder';
import type { Value } from '../../graph/graph';

export const adamOptions = z.strictObject({
  kind: z.literal('adam'),
  /** L2 penalty, added to the gradient. */
  weightDecay: z.number().nonnegative().finite().default(0),
  beta1: z.number().min(0).lt(1).default(0.9),
  beta2: z.number().min(0).lt(1).default(0.999),
  epsilon: z.number().nonnegative().finite().default(1e-8),
});

export type AdamOptions = z.input<typeof adamOptions>;
export type AdamSettings = z.output<typeof adamOptions>;

/** The two scalars that depend on the step count, for step t = 1, 2, …, computed in double. */
export function adamScalars({ beta1, beta2 }: AdamSettings, learningRate: number, step: number) {
  return { stepSize: learningRate / (1 - beta1 ** step), correction: Math.sqrt(1 - beta2 ** step) };
}

export interface AdamState {
  readonly w: Value;
  readonly m: Value;
  readonly v: Value;
}

/**
 * One step: g' = g + decay·w; m += (1 − β₁)(g' − m); v = β₂v + (1 − β₂)g'²; w −= stepSize·m / (√v/correction + ε), with
 * stepSize = lr/(1 − β₁ᵗ) and correction = √(1 − β₂ᵗ) as scalar values.
 */
export function adamStep(
  b: Builder,
  { w, m, v }: AdamState,
  gradient: Value,
  { stepSize, correction }: { readonly stepSize: Value; readonly correction: Value },
  { weightDecay, beta1, beta2, epsilon }: AdamSettings,
): AdamState {
  const g = weightDecay === 0 ? gradient : b.add(gradient, b.scale(w, weightDecay));
  const nextM = b.add(m, b.scale(b.sub(g, m), 1 - beta1));
  const nextV = b.add(b.scale(v, beta2), b.scale(b.mul(g, g), 1 - beta2));
  const denominator = b.add(b.div(b.sqrt(nextV), correction), b.scalar(epsilon));
  return { w: b.sub(w, b.mul(stepSize, b.div(nextM, denominator))), m: nextM, v: nextV };
}
