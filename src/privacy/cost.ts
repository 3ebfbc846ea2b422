/**
 * What one call of a privacy mechanism costs, as plain data for ledgers, logs and reports.
 *
 * @module
 */
export interface PrivacyCost {
  /** Registered kind of the mechanism, such as `svt`. */
  readonly mechanism: string;
  /** False for a mechanism that carries no differential-privacy guarantee; then `epsilon` is Infinity. */
  readonly differentiallyPrivate: boolean;
  /** ε of this call, pure DP unless `delta` > 0. */
  readonly epsilon: number;
  readonly delta: number;
  /** Whom the guarantee is about and what counts as a neighbour, in words. */
  readonly unit: string;
  /** Parts of ε and counts (released entries, sweeps, …), by name. */
  readonly details: Readonly<Record<string, number>>;
}
