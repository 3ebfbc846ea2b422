/**
 * How a user adds parts of their own. Each function registers the part under its kind when the user's file is loaded, and
 * returns a function that writes the part's place in a job, checked by the editor:
 *
 *     export const normClip = defineFilter({
 *       module: __filename,
 *       kind: 'st-marys/norm-clip',
 *       options: z.strictObject({ maxNorm: z.number().positive() }),
 *       create: ({ maxNorm }) => ({ name: 'norm-clip', accepts: ['weight-diff'], apply: … }),
 *     });
 *
 *     recipe.addFilter({ at: 'site-out' }, normClip({ maxNorm: 1 }));
 *
 * In YAML: `modules: [./norm-clip.ts]` and `filter: { kind: st-marys/norm-clip, maxNorm: 1 }`.
 *
 * @module
 */
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import type { Aggregator, AggregatorOptions } from '../aggregators/aggregator';
import type { CaseSource } from '../executors/case-source';
import type { Executor } from '../executors/executor';
import type { SliceSource } from '../executors/slice-source';
import type { Trainer } from '../executors/trainer';
import type { TrainingSite } from '../executors/training-site';
import type { Filter } from '../filters/filter';
import type { RunEvent } from '../jobs/environment';
import { type OwnKind, type OwnSpec, type PartSlot, registerPart } from '../jobs/own-part';
import type { Transfer } from '../jobs/trainer-spec';
import type { Model } from '../nn/model';
import type { FeatureSource } from '../statistics/feature-source';
import type { Json } from '../util/json';
import type { RoundReport, WorkflowParts, WorkflowState } from '../workflows/workflow';

interface PartOptions<S extends z.ZodType> {
  /** The file that defines the part: `__filename`, or `import.meta.url` in an ES module. */
  readonly module: string;
  /** `<who>/<name>` in lower-case letters, digits and dashes. */
  readonly kind: OwnKind;
  /** Schema of the options; a strict object, so that unknown keys are errors. What it gives must be plain data. */
  readonly options: S;
}

/** Writes the part's place in a job from its options, which may be left out where none is required. */
export type OwnPartSpec<S extends z.ZodType> = (
  ...options: Record<never, never> extends z.input<S> ? [options?: z.input<S>] : [options: z.input<S>]
) => OwnSpec;

export interface FilterDefinition<O = never> {
  readonly create: (options: O) => Filter;
}

export interface AggregatorDefinition<O = never> {
  /** Made for each round, used once. `round.reference` is the model that the round started from. */
  readonly create: (options: O, round: AggregatorOptions) => Aggregator;
}

export interface WorkflowDefinition<O = never> {
  /** The tasks it gives to sites; filters may name only these. @default train and validate */
  readonly tasks?: readonly string[];
  /** Yields a report a round. `state` is where the run stands: a run that was killed starts again from there. */
  readonly create: (options: O, state: WorkflowState, parts: WorkflowParts) => AsyncGenerator<RoundReport>;
}

/** What a trainer of the user's own is made with. */
export interface TrainerContext<C = Json> extends TrainingSite<C> {
  /** How sessions are opened here; `openTrainer({ …, ...engine })`. */
  readonly engine: { readonly threads: number; readonly provider: string };
  /** The job's network; absent when the job names tensors only. */
  readonly network?: Model;
  /** The site's cases, when the job names data. */
  readonly cases?: CaseSource;
  /** The site's slices, when the job's data are slices. */
  readonly slices?: SliceSource;
}

/** Schema of what the job's `siteConfig` holds for a site; null where it holds nothing. Checked with the job. */
interface SiteConfigSchema<C> {
  /** @default any plain data */
  readonly siteConfig?: z.ZodType<C>;
}

export interface TrainerDefinition<O = never, C = never> extends SiteConfigSchema<C> {
  /** What its updates hold. @default 'weight-diff' */
  readonly transfer?: Transfer;
  /** Made once for each site and run. An executor carries out tasks of any kind; a trainer, `train` and `validate`. */
  readonly create: (options: O, site: TrainerContext<C>) => Trainer | Executor;
}

export interface ModelDefinition<O = never> {
  readonly create: (options: O) => Model;
}

export interface DataDefinition<O = never, C = never> extends SiteConfigSchema<C> {
  /** Opens the cases of a site, in the thread that trains it; or the values of its features, for statistics. */
  readonly create: (options: O, site: TrainingSite<C>) => CaseSource | FeatureSource;
}

export interface Tracker {
  /** Told of everything that happens in a run, in order and one after the other, at the server. An error ends the run. */
  event(event: RunEvent): void | Promise<void>;
  /** Called at the end, after the event `done`, however the run ended. */
  close?(): Promise<void>;
}

export interface TrackerDefinition<O = never> {
  readonly create: (options: O, run: { readonly job: string; readonly folder: string }) => Tracker;
}

/** A filter of the user's own. @throws ConfigError for a kind that is malformed or taken. */
export function defineFilter<S extends z.ZodType>(part: PartOptions<S> & FilterDefinition<z.output<S>>) {
  return define('filter', part);
}

/** An aggregator of the user's own. @throws ConfigError for a kind that is malformed or taken. */
export function defineAggregator<S extends z.ZodType>(part: PartOptions<S> & AggregatorDefinition<z.output<S>>) {
  return define('aggregator', part);
}

/**
 * A workflow of the user's own. Options named `rounds`, `minSites`, `keyMetric` and `keyMetricMode` mean what they mean for
 * the built-in ones.
 *
 * @throws ConfigError for a kind that is malformed or taken.
 */
export function defineWorkflow<S extends z.ZodType>(part: PartOptions<S> & WorkflowDefinition<z.output<S>>) {
  return define('workflow', part);
}

/** A trainer of the user's own. @throws ConfigError for a kind that is malformed or taken. */
export function defineTrainer<S extends z.ZodType, C = Json>(part: PartOptions<S> & TrainerDefinition<z.output<S>, C>) {
  return define('trainer', part);
}

/** A network of the user's own. @throws ConfigError for a kind that is malformed or taken. */
export function defineModel<S extends z.ZodType>(part: PartOptions<S> & ModelDefinition<z.output<S>>) {
  return define('model', part);
}

/** A data set of the user's own. @throws ConfigError for a kind that is malformed or taken. */
export function defineData<S extends z.ZodType, C = Json>(part: PartOptions<S> & DataDefinition<z.output<S>, C>) {
  return define('data', part);
}

/** A tracker of the user's own. @throws ConfigError for a kind that is malformed or taken. */
export function defineTracker<S extends z.ZodType>(part: PartOptions<S> & TrackerDefinition<z.output<S>>) {
  return define('tracker', part);
}

function define<S extends z.ZodType>(
  slot: PartSlot,
  { module, kind, options, ...definition }: PartOptions<S>,
): OwnPartSpec<S> {
  const file = module.startsWith('file:') ? fileURLToPath(module) : module;
  registerPart({ slot, kind, options, module: file, definition });
  return (...[given]) => ({ ...(given as object), kind });
}
