/**
 * What a recipe is run on: the contract that the simulator, local processes and a real federation share.
 *
 * @module
 */
import type { ErrorTag } from '../errors';
import type { PrivacyCost } from '../privacy/cost';
import type { Json } from '../util/json';
import type { JobSpec } from './job-spec';

export type Outcome = 'finished' | 'failed' | 'aborted';

/** How a site took part in a round: it gave an error, it did not answer in time, or the server refused its answer. */
export type SiteStatus = 'ok' | 'failed' | 'late' | 'rejected';

/** A round as its result keeps it. */
export interface RoundSummary {
  readonly round: number;
  /** True for the evaluation of the finished model, after the last round. */
  readonly final: boolean;
  /** Of the model that the round started from. */
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly sites: readonly {
    readonly name: string;
    readonly status: SiteStatus;
    /** Why the site has no part in the round. */
    readonly reason?: string;
    readonly metrics?: Readonly<Record<string, number | null>>;
  }[];
  readonly seconds: number;
}

/** One row of the validation table: a global model and how it scored. */
export interface ModelScore {
  /** Aggregations behind the model: 0 is the initial one. */
  readonly round: number;
  readonly metrics: Readonly<Record<string, number | null>>;
}

export interface RunResult {
  readonly outcome: 'finished';
  /** Folder of this run. */
  readonly folder: string;
  readonly rounds: number;
  readonly best: ModelScore;
  readonly final: ModelScore;
  /** Every round, in order. */
  readonly history: readonly RoundSummary[];
  /** What the run left, by name. Absolute paths. */
  readonly files: Readonly<Record<string, string>>;
  /** What the workflow gave besides a model, by name: each is also a JSON file among the results of the run. */
  readonly results: Readonly<Record<string, Json>>;
  readonly finalModelSha256: string;
  readonly seconds: number;
}

/** What happens in a run, in order. */
export type RunEvent =
  | {
      readonly kind: 'started';
      readonly folder: string;
      readonly slots: number;
      readonly resumedAt: number | undefined;
    }
  | { readonly kind: 'round-started'; readonly round: number; readonly rounds: number }
  | {
      readonly kind: 'progress';
      readonly site: string;
      readonly round: number;
      readonly phase: 'validate' | 'train';
      readonly done: number;
      readonly total: number;
      readonly loss: number | undefined;
    }
  | {
      readonly kind: 'round-finished';
      readonly round: number;
      /** True for the evaluation of the finished model, after the last round. */
      readonly final: boolean;
      readonly metrics: Readonly<Record<string, number | null>>;
      readonly sites: readonly {
        readonly name: string;
        readonly status: SiteStatus;
        /** Why the site has no part in the round. */
        readonly reason?: string;
        /** Where the site's time went; absent when it has no part in the round. */
        readonly seconds?: { readonly validate: number; readonly train: number; readonly other: number };
      }[];
      /** ε that this round cost a site at most; undefined without a privacy filter. */
      readonly epsilon: number | undefined;
      readonly differentiallyPrivate: boolean | undefined;
      readonly seconds: number;
    }
  | { readonly kind: 'site-joined'; readonly site: string }
  /** The site's process or its connection is gone; a later task may find it again. */
  | { readonly kind: 'site-lost'; readonly site: string; readonly reason: string }
  | {
      /** A site has no part in what it was asked, or none yet: a late one may be asked again. */
      readonly kind: 'site-failed';
      readonly site: string;
      readonly round: number;
      readonly task: string;
      readonly status: Exclude<SiteStatus, 'ok'>;
      /** Class of the error. */
      readonly error: ErrorTag | undefined;
      /** Nothing of a site's data. */
      readonly reason: string;
    }
  | {
      /** What a site said of the model and of its training in a round. */
      readonly kind: 'metrics';
      readonly round: number;
      readonly site: string;
      readonly metrics: Readonly<Record<string, number | null>>;
    }
  | {
      /** What the privacy filters charged for one answer of a site. */
      readonly kind: 'privacy';
      readonly round: number;
      readonly site: string;
      readonly costs: readonly PrivacyCost[];
    }
  | {
      readonly kind: 'log';
      readonly level: 'info' | 'warn';
      /** The site it is about; the server when absent. */
      readonly site?: string;
      readonly message: string;
    }
  | { readonly kind: 'done'; readonly outcome: Outcome };

/** A run that was started. */
export interface Run {
  readonly id: string;
  status(): 'running' | Outcome;
  /** Events from the first on; ends after `done`. */
  events(): AsyncIterable<RunEvent>;
  /** Resolves when the run finished; rejects with the error that ended it. */
  result(): Promise<RunResult>;
  /** Ends the run at the next step; what was finished stays on disk. */
  abort(reason?: string): void;
}

export interface RunOptions {
  /** What relative paths of the job start from: the folder of the job file. @default the working directory */
  readonly folder?: string;
  /** Aborts the run as {@link Run.abort} does. */
  readonly signal?: AbortSignal;
}

/** Somewhere jobs run. */
export interface Environment {
  /** Starts the job and returns at once. */
  run(job: JobSpec, options?: RunOptions): Run;
}
