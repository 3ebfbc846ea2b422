/**
 * Where a trainer's cases come from: already loaded, transformed and ahead of need.
 *
 * @module
 */

/** A training crop. */
export interface TrainingSample {
  /** [C, X, Y, Z] in C order. */
  readonly image: Float32Array;
  /** [regions, X, Y, Z], 0 or 1. */
  readonly label: Float32Array;
}

/** A whole volume for validation. */
export interface ValidationCase {
  /** Names the case in tables: the label's file without folder and suffix. */
  readonly name: string;
  /** [C, X, Y, Z]. */
  readonly image: Float32Array;
  readonly shape: readonly [number, number, number, number];
  /** [regions, X, Y, Z], 0 or 1. */
  readonly label: Float32Array;
}

export interface CaseSource {
  /** Number of training and validation cases of this site. */
  counts(): Promise<{ readonly training: number; readonly validation: number }>;
  /** The samples of one epoch, in the seeded order, augmented by seeded draws. */
  trainingEpoch(round: number, epoch: number): AsyncIterable<TrainingSample>;
  validation(): AsyncIterable<ValidationCase>;
}
