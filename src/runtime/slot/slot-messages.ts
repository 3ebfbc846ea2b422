/**
 * What the simulator and a slot say to each other. A slot is one worker thread that trains some of the sites, one task at
 * a time.
 *
 * @module
 */
import type { ErrorData } from '../../errors';
import type { Progress } from '../../executors/executor';
import type { JobSpec } from '../../jobs/job-spec';
import type { Task, Update } from '../../protocol/messages';
import type { NamedTensors } from '../../tensor/tensor';
import type { SiteImages } from '../job-data';
import type { SiteCases } from '../loader/loader-messages';
import type { CasePicture } from './case-pictures';
import type { SlicePicture } from './slice-pictures';

/** What a report shows of the data of a site. */
export type Picture = CasePicture | SlicePicture;

export interface SlotSite {
  readonly name: string;
  /** Folder of this site's state and ledger. */
  readonly folder: string;
  /** Absent when no loader reads its cases. */
  readonly cases: SiteCases | undefined;
  /** Its images, where the job reads them itself, for statistics. */
  readonly images: SiteImages | undefined;
}

/** Everything a slot is started with. */
export interface SlotSetup {
  readonly job: JobSpec;
  /** What relative paths of the job start from. */
  readonly folder: string;
  readonly sites: readonly SlotSite[];
  /** Threads of one onnxruntime session. */
  readonly sessionThreads: number;
  /** Makes privacy noise reproducible, and so worthless: for tests only. */
  readonly testNoiseSeed: number | undefined;
}

export type SlotRequest =
  | {
      readonly type: 'task';
      readonly id: number;
      readonly site: string;
      readonly task: Omit<Task, 'model'>;
      /** Equal for equal models only: sites may be given different ones in a round. */
      readonly modelId: number;
      /** Absent when it is that of the task sent before. */
      readonly model?: NamedTensors;
    }
  | {
      readonly type: 'pictures';
      readonly id: number;
      readonly site: string;
      readonly model: NamedTensors;
      readonly count: number;
    }
  | { readonly type: 'abort'; readonly id: number }
  /** Memory of updates that have been used. */
  | { readonly type: 'memory'; readonly memories: readonly SharedArrayBuffer[] }
  /** Stop the task in hand at its next step and end the thread. */
  | { readonly type: 'close' };

export type SlotReply =
  | { readonly type: 'ready' }
  | { readonly type: 'progress'; readonly site: string; readonly round: number; readonly progress: Progress }
  | { readonly type: 'log'; readonly level: 'info' | 'warn'; readonly site: string; readonly message: string }
  | { readonly type: 'update'; readonly id: number; readonly update: Update }
  | { readonly type: 'pictures'; readonly id: number; readonly pictures: readonly Picture[] }
  | { readonly type: 'failed'; readonly id: number; readonly error: ErrorData };
