/**
 * What an optimiser is: numbers kept for each parameter, numbers that depend on the step, and one step as graph.
 *
 * @module
 */
import type { Builder } from '../../graph/builder';
import type { Value } from '../../graph/graph';

/** A parameter and what the optimiser keeps for it, one tensor of the parameter's shape a slot. */
export interface ParameterState {
  readonly w: Value;
  readonly slots: Readonly<Record<string, Value>>;
}

export interface OptimiserRule<S> {
  /** Names of the slots under these settings; all zero before the first step. */
  slots(settings: S): readonly string[];
  /** What is fed to step t = 1, 2, … beside the gradients, computed in double. */
  scalars(settings: S, learningRate: number, step: number): Readonly<Record<string, number>>;
  /** The parameter and its slots after one step; the scalars are values of shape `[]`. */
  step(
    b: Builder,
    state: ParameterState,
    gradient: Value,
    scalars: Readonly<Record<string, Value>>,
    settings: S,
  ): ParameterState;
}

/** The gradient with the L2 penalty's: g + decay·w. */
export function withL2(b: Builder, gradient: Value, w: Value, weightDecay: number): Value {
  return weightDecay === 0 ? gradient : b.add(gradient, b.scale(w, weightDecay));
}

/** a + share·(b − a). */
export function lerp(b: Builder, from: Value, to: Value, share: number): Value {
  return b.add(from, b.scale(b.sub(to, from), share));
}

/** share·mean + (1 − share)·g². */
export function meanOfSquares(b: Builder, mean: Value, g: Value, share: number): Value {
  return b.add(b.scale(mean, share), b.scale(b.mul(g, g), 1 - share));
}
