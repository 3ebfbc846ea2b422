/**
 * What a site's agent and the process of a job say to each other. The process is the job's own: its code runs nowhere else at
 * the site, and whatever becomes of it, the agent goes on.
 *
 * @module
 */
import type { ErrorData } from '../../errors';
import type { Progress } from '../../executors/executor';
import type { PayloadKind } from '../../jobs/filter-spec';
import type { Task, Update } from '../../protocol/messages';
import type { SiteSettings } from './site-settings';

/** Everything a job's process is started with. */
export interface SiteJobSetup {
  readonly site: string;
  readonly project: string;
  /** Certificate of the project's authority, PEM. */
  readonly ca: string;
  /** When the bundle was accepted, milliseconds since 1970. */
  readonly acceptedAt: number;
  readonly bundleFile: string;
  /** The job's folder at this site: state and account of its filters. */
  readonly folder: string;
  /** Where the job's own files were unpacked: what its relative paths start from. */
  readonly files: string;
  readonly settings: SiteSettings;
  /** Largest synthetic data set, MB. */
  readonly syntheticMb: number;
  /** Makes privacy noise reproducible, and so worthless: for tests only. */
  readonly testNoiseSeed: number | undefined;
}

/** A job that this site can run, as far as its policy has a word on it. */
export interface PreparedJob {
  /** Tasks of its workflow, and its rounds; the model after the last one is scored too. */
  readonly tasks: readonly string[];
  readonly rounds: number;
  /** Payloads that leave the site. */
  readonly sends: readonly PayloadKind[];
  /** The job's own filters on what leaves this site. */
  readonly filtersOut: readonly string[];
  /** Of the model, and of a training step by its estimate; undefined where nothing tells. */
  readonly modelBytes: number | undefined;
  readonly stepBytes: number | undefined;
}

/** A job that does not fit this site: what for the submitter, why for the site's own log. */
export interface UnfitJob {
  readonly rule: string;
  readonly reason: string;
  readonly error: ErrorData;
}

export type JobProcessRequest =
  | { readonly type: 'prepare'; readonly setup: SiteJobSetup }
  | { readonly type: 'task'; readonly id: number; readonly task: Task }
  | { readonly type: 'abort'; readonly id: number }
  /** End after the step in hand. */
  | { readonly type: 'close' };

export type JobProcessReply =
  | { readonly type: 'prepared'; readonly job: PreparedJob }
  | ({ readonly type: 'unfit' } & UnfitJob)
  | { readonly type: 'progress'; readonly id: number; readonly progress: Progress }
  | { readonly type: 'log'; readonly level: 'info' | 'warn'; readonly message: string }
  | { readonly type: 'update'; readonly id: number; readonly update: Update }
  /** Without an id: nothing can be prepared, or nothing runs any more. */
  | { readonly type: 'failed'; readonly id?: number; readonly error: ErrorData };
