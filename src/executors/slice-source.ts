/**
 * Where a trainer's slices come from: read, normalised and in batches, ahead of need.
 *
 * @module
 */
import type { CaseStream } from './case-source';

/** A batch of slices with their targets. */
export interface SliceBatch {
  /** [N, C, H, W] in C order. */
  readonly source: Float32Array;
  /** [N, C, H, W] in C order. */
  readonly target: Float32Array;
  /** N, C, H, W. */
  readonly shape: readonly [number, number, number, number];
}

/** One slice for validation, test or pictures. */
export interface SliceCase {
  /** Names the slice in tables: its file without folder and suffix. */
  readonly name: string;
  /** [C, H, W] in C order. */
  readonly source: Float32Array;
  /** [C, H, W] in C order. */
  readonly target: Float32Array;
  /** [1, H, W]: 1 where the tumour is; absent where the data have none. */
  readonly mask?: Float32Array;
  /** C, H, W. */
  readonly shape: readonly [number, number, number];
}

export type Split = 'train' | 'validation' | 'test';

/** What a site has. */
export interface SliceLists {
  /** Number of training slices. */
  readonly train: number;
  /** An identity for each slice: equal where the files and what is made of them are the same. */
  readonly validation: readonly string[];
  readonly test: readonly string[];
  /** C, H, W of every slice. */
  readonly shape: readonly [number, number, number];
}

export interface SliceSource {
  lists(): Promise<SliceLists>;
  /** Batches of a round, epoch after epoch, shuffled by seeded draws; the last batch of an epoch may be smaller. */
  training(round: number, epochs: number, batchSize: number): CaseStream<SliceBatch>;
  /** The slices of a split, in the order of `lists`. */
  cases(split: Exclude<Split, 'train'>): CaseStream<SliceCase>;
}
