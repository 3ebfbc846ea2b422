/**
 * What every workflow is made from and what it yields.
 *
 * @module
 */
import type { Aggregator, AggregatorOptions } from '../aggregators/aggregator';
import type { ErrorTag } from '../errors';
import type { SiteStatus } from '../jobs/environment';
import type { PrivacyCost } from '../privacy/cost';
import type { Task, Update } from '../protocol/messages';
import type { Metrics } from '../protocol/payload';
import type { Sites } from '../protocol/sites';
import type { NamedTensors } from '../tensor/tensor';
import type { Clock } from '../util/clock';
import type { Json } from '../util/json';

/** Where a run stands: enough to go on from. */
export interface WorkflowState {
  /** Finished rounds. */
  readonly round: number;
  readonly model: NamedTensors;
  /** What the server keeps from round to round besides the model: the moments of its optimiser, say. Empty at first. */
  readonly memory: NamedTensors;
}

/** Updates of the round in progress that were accepted before an interruption; and where new ones are kept. */
export interface RoundJournal {
  /**
   * Of these sites and in their order, one at a time; only those that were computed on this very model: a repeated round may
   * have led to another one.
   */
  accepted(round: number, model: NamedTensors, sites: readonly string[]): AsyncIterable<Update>;
  /**
   * Begins to write it; the checkpoint of the round is not complete before, and fails where this failed. Where it returns a
   * promise, the next update waits for it: the disk is behind.
   */
  record(update: Update, model: NamedTensors, more?: RecordOptions): void | Promise<void>;
  /** Reads a recorded update again. Absent where updates that wait for their turn stay in memory. */
  reload?(update: RecordedUpdate, model: NamedTensors): Promise<Update & { readonly release?: () => void }>;
  /**
   * Records who took part in a task that closed without some of its sites. Durable when it resolves: a run that goes on after
   * an interruption then counts the same sites, because others have built on that already.
   */
  conclude?(task: Task, participations: readonly Participation[]): Promise<void>;
  /**
   * What was concluded of this very task, before an interruption. To be asked after `accepted`: an update that was counted and
   * cannot be read any more is an error.
   */
  concluded?(task: Task): Promise<readonly Participation[] | undefined>;
  /**
   * Whether the update is worth recording. One that is not may be neither recorded nor read once its memory was released; its
   * site is asked again after an interruption. @default it is
   */
  keeps?(update: Update): boolean;
}

/** Which update it is, without its tensors. */
export type RecordedUpdate = Pick<Update, 'site' | 'round' | 'task'>;

export interface RecordOptions {
  /**
   * File that holds the update already, as `protocol/update-file.ts` makes it, flushed, on the journal's own file system and
   * named by the SHA-256 of its bytes. It is taken over instead of written anew: moved, so that it is gone afterwards.
   */
  readonly spooled?: string | undefined;
}

export interface WorkflowParts {
  readonly sites: Sites;
  /**
   * The job's aggregator, for one round. `kind` is what the sites send, that of the job's trainer by default; `memory` is that of the
   * state, where an aggregator finds what it kept in the round before.
   */
  readonly aggregator: (
    reference: NamedTensors,
    round: number,
    options?: Partial<Pick<AggregatorOptions, 'kind' | 'precise' | 'memory'>>,
  ) => Aggregator;
  /** Names of the tensors that training moves. The others, running statistics and counters, are only averaged. */
  readonly parameters: ReadonlySet<string>;
  /** Names of the tensors that each site keeps for itself. @default none */
  readonly personal?: ReadonlySet<string>;
  /** The best of the models that the reports so far have validated, by the key metric. */
  readonly best: () => Promise<NamedTensors | undefined>;
  /** Reads a model file of the job at the server, and checks that it fits the job's model. */
  readonly loadModel: (file: string) => Promise<NamedTensors>;
  readonly journal: RoundJournal;
  /** The job's seed, for whatever a workflow draws. */
  readonly seed: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told of each site without a part in a task, as soon as that is known. @default nobody */
  readonly missed?: ((task: Task, site: MissingSite) => void) | undefined;
}

/** Why a site has no part in a task, or none yet: a late one may be asked again. */
export interface MissingSite {
  readonly site: string;
  readonly status: Exclude<SiteStatus, 'ok'>;
  /** Class of the error. */
  readonly error?: ErrorTag;
  readonly reason: string;
}

/** How one site took part in a round. */
export interface Participation {
  readonly site: string;
  readonly status: SiteStatus;
  readonly reason?: string;
  /** What a refused update had cost its site all the same. */
  readonly spent?: readonly PrivacyCost[];
  readonly update?: Omit<Update, 'payload'> & { readonly metrics: Metrics; readonly steps: number };
}

export interface RoundReport {
  /** Which model was validated: the one that the round started from, or the one that it ended with. */
  readonly evaluated: 'before' | 'after';
  readonly round: number;
  /** True for the evaluation of the finished model; then nothing was trained. */
  readonly final: boolean;
  /** Of the evaluated model over the sites that answered, `null` where no site has the metric. */
  readonly metrics: Metrics;
  readonly sites: readonly Participation[];
  /** What else came out, by name: each becomes a JSON file among the results of the run. */
  readonly results?: Readonly<Record<string, Json>>;
  /** The state after the round. */
  readonly state: WorkflowState;
  /** What whoever watches the run should know, a line each. */
  readonly notes?: readonly string[];
}

/** Whether a score is better than another by more than `margin`; equal ones are not. */
export function isBetter(value: number, than: number, mode: 'max' | 'min', margin = 0): boolean {
  return mode === 'max' ? value > than + margin : value < than - margin;
}

/** Metric by metric, the unweighted mean over those that have it. */
export function meanMetrics(all: readonly Metrics[]): Metrics {
  const names = [...new Set(all.flatMap((metrics) => Object.keys(metrics)))];
  return Object.fromEntries(
    names.map((name) => {
      const values = all.map((metrics) => metrics[name]).filter((value) => typeof value === 'number');
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      return [name, Number.isFinite(mean) ? mean : null];
    }),
  );
}
