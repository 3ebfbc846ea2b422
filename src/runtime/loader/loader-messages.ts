/**
 * What a trainer and its loader thread, which also writes the trainer's state, say to each other. Streams are pulled: every `pull` is answered by one `item`, or
 * by `end` or `error`, so the trainer decides how far ahead the loader works.
 *
 * @module
 */

import type { ErrorData } from '../../errors';
import type { TrainingSample, ValidationCase } from '../../executors/case-source';
import type { SliceBatch, SliceCase, SliceLists } from '../../executors/slice-source';
import type { SliceDataSpec } from '../../jobs/data-spec';

/** The cases of one site and how to prepare them. */
export type SiteCases = SiteVolumes | SiteSlices;

export interface SiteVolumes {
  readonly kind: 'volumes';
  readonly site: string;
  /** The job's seed. */
  readonly seed: number;
  readonly datalist: string;
  readonly baseDir: string;
  readonly roi: readonly [number, number, number];
  readonly cacheRate: number;
}

/** Slices in two contrasts. */
export interface SiteSlices extends Pick<SliceDataSpec, 'source' | 'target' | 'normalisation' | 'cacheRate'> {
  readonly kind: 'slices';
  readonly site: string;
  /** The job's seed. */
  readonly seed: number;
  /** Where they are; `{site}` is still in it for the centralised baseline, which takes the folders of all sites. */
  readonly folder: string;
  readonly centralized: boolean;
}

/** What a loader gives, one at a time. */
export type LoaderItem = TrainingSample | ValidationCase | SliceBatch | SliceCase;

export interface CaseLists {
  readonly training: number;
  readonly validation: readonly string[];
}

export type StreamKind =
  | { readonly kind: 'training'; readonly round: number; readonly epochs: number }
  | { readonly kind: 'validation'; readonly indices: readonly number[] }
  | { readonly kind: 'batches'; readonly round: number; readonly epochs: number; readonly batchSize: number }
  | { readonly kind: 'slices'; readonly split: 'validation' | 'test' };

export type LoaderRequest =
  | { readonly type: 'lists'; readonly id: number; readonly site: string }
  | { readonly type: 'open'; readonly id: number; readonly site: string; readonly stream: StreamKind }
  /** Write a file as a whole, off the training thread, and then remove the one it supersedes, if any; the parts lie in shared memory. */
  | {
      readonly type: 'write';
      readonly id: number;
      readonly path: string;
      readonly parts: readonly Uint8Array[];
      readonly superseded: string | undefined;
    }
  | { readonly type: 'pull'; readonly id: number }
  | { readonly type: 'close'; readonly id: number };

export type LoaderReply =
  | { readonly type: 'lists'; readonly id: number; readonly lists: CaseLists | SliceLists }
  | { readonly type: 'item'; readonly id: number; readonly item: LoaderItem }
  /** Something odd about a file that did not stop it; answers no request. */
  | { readonly type: 'warning'; readonly site: string; readonly message: string }
  | { readonly type: 'written'; readonly id: number }
  | { readonly type: 'end'; readonly id: number }
  | { readonly type: 'error'; readonly id: number; readonly error: ErrorData };
