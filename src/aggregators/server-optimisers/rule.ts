/**
 * What a server optimiser does to one tensor.
 *
 * @module
 */
import type { ServerOptimiserKind, ServerOptimiserSettingsOf } from '../../jobs/server-optimiser-spec';

/** What a rule is given besides its settings. */
export interface ServerStepInput {
  /** Δ: the mean of what the sites changed. */
  readonly delta: Float64Array;
  /** What the rule keeps from round to round; it updates these in place. */
  readonly slots: Readonly<Record<string, Float64Array>>;
  /** Learning rate of this round. */
  readonly rate: number;
  /** Steps before this one. */
  readonly round: number;
}

export interface ServerRule<K extends ServerOptimiserKind> {
  /** What it keeps for every number of the model, with the first value. */
  slots(settings: ServerOptimiserSettingsOf<K>): Readonly<Record<string, number>>;
  /** What is added to the global model, in float64. */
  step(settings: ServerOptimiserSettingsOf<K>, input: ServerStepInput): Float64Array;
}

/** First value of the running square. */
export function firstSquare({
  tau,
  initialSquare,
}: {
  readonly tau: number;
  readonly initialSquare?: number | undefined;
}) {
  return initialSquare ?? tau ** 2;
}
