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

/** Cases that are being prepared since the call that gave the stream; close it when it is not read to its end. */
export interface CaseStream<T> extends AsyncIterable<T> {
  close(): void;
}

export interface CaseSource {
  /** Number of training cases of this site, and an identity for each validation case: equal where the files are the same. */
  lists(): Promise<{ readonly training: number; readonly validation: readonly string[] }>;
  /** The samples of a round, epoch after epoch, in the seeded order and augmented by seeded draws. */
  training(round: number, epochs: number): CaseStream<TrainingSample>;
  /** The validation cases at the given places of the list, in that order. */
  validation(indices: readonly number[]): CaseStream<ValidationCase>;
}
