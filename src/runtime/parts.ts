/**
 * The built-in parts that a job can name: for every kind, how to make it. The tables are exhaustive by type, so a kind that
 * the job schema allows and nobody makes does not compile. A kind of the user's own is looked up among what its file defined.
 *
 * @module
 */
import type { Aggregator, AggregatorOptions } from '../aggregators/aggregator';
import { bulyan } from '../aggregators/bulyan';
import { centredClipping } from '../aggregators/centred-clipping';
import { costWeighted } from '../aggregators/cost-weighted';
import { geometricMedian } from '../aggregators/geometric-median';
import { krum } from '../aggregators/krum';
import { mean } from '../aggregators/mean';
import { median } from '../aggregators/median';
import { multiKrum } from '../aggregators/multi-krum';
import { normClipping } from '../aggregators/norm-clipping';
import { pidWeighted } from '../aggregators/pid-weighted';
import { trimmedMean } from '../aggregators/trimmed-mean';
import { weightedMean } from '../aggregators/weighted-mean';
import { InternalError } from '../errors';
import type { CaseSource } from '../executors/case-source';
import { commandTrainer } from '../executors/command-trainer';
import { withContrast } from '../executors/contrast';
import { withControlVariates } from '../executors/control-variates';
import { withDitto } from '../executors/ditto';
import type { Executor } from '../executors/executor';
import { withOwnNumbers } from '../executors/fed-select';
import { withPersonalTensors } from '../executors/personal-tensors';
import type { ScoreCache } from '../executors/score-cache';
import { scriptTrainer } from '../executors/script-trainer';
import { segmentationTrainer } from '../executors/segmentation-trainer';
import type { SliceSource } from '../executors/slice-source';
import { statisticsExecutor } from '../executors/statistics/statistics-executor';
import { withSubmitModel } from '../executors/submit-model';
import { trainerExecutor } from '../executors/trainer';
import type { TrainingSite } from '../executors/training-site';
import { translationTrainer } from '../executors/translation-trainer';
import { REGIONS } from '../imaging/brats/labels';
import type { AggregatorSpec, AggregatorSpecOf, BuiltInAggregatorSpec } from '../jobs/aggregator-spec';
import type { DataSpec } from '../jobs/data-spec';
import type { JobSpec } from '../jobs/job-spec';
import { isNetwork } from '../jobs/model-spec';
import { findOwnPart, isOwn, type PartSlot } from '../jobs/own-part';
import { type BuiltInTrainerSpec, transferOf } from '../jobs/trainer-spec';
import { type BuiltInWorkflowSpec, workflowTraits } from '../jobs/workflow-spec';
import { createModel } from '../nn/model';
import type { NoiseSource } from '../privacy/noise-source';
import type { FeatureSource } from '../statistics/feature-source';
import type { NamedTensors } from '../tensor/tensor';
import type { Json } from '../util/json';
import { crossSiteEval } from '../workflows/cross-site-eval';
import { cyclic } from '../workflows/cyclic';
import { fedAvg } from '../workflows/fed-avg';
import { fedEval } from '../workflows/fed-eval';
import { fedSelect } from '../workflows/fed-select';
import { fedStats } from '../workflows/fed-stats';
import { scaffold } from '../workflows/scaffold';
import type { RoundReport, WorkflowParts, WorkflowState } from '../workflows/workflow';
import type {
  AggregatorDefinition,
  DataDefinition,
  Tracker,
  TrackerDefinition,
  TrainerDefinition,
  WorkflowDefinition,
} from './define-part';
import { parameterNames, personalOf } from './parameter-names';

type OfKind<T extends { readonly kind: string }, K extends T['kind']> = Extract<T, { readonly kind: K }>;

const workflows: {
  readonly [K in BuiltInWorkflowSpec['kind']]: (
    spec: OfKind<BuiltInWorkflowSpec, K>,
    state: WorkflowState,
    parts: WorkflowParts,
  ) => AsyncGenerator<RoundReport>;
} = {
  'fed-avg': fedAvg,
  scaffold,
  'fed-select': fedSelect,
  cyclic,
  'fed-eval': fedEval,
  'cross-site-eval': crossSiteEval,
  'fed-stats': fedStats,
};

/** The workflow of a job, from where it stands. */
export function createWorkflow(job: JobSpec, state: WorkflowState, parts: WorkflowParts): AsyncGenerator<RoundReport> {
  const spec = job.workflow;
  if (isOwn(spec))
    return ownDefinition<WorkflowDefinition>('workflow', spec.kind).create(optionsOf(spec), state, parts);
  const create = workflows[spec.kind] as (
    spec: BuiltInWorkflowSpec,
    state: WorkflowState,
    parts: WorkflowParts,
  ) => AsyncGenerator<RoundReport>;
  return create(spec, state, parts);
}

const aggregators: {
  readonly [K in BuiltInAggregatorSpec['kind']]: (spec: AggregatorSpecOf<K>, options: AggregatorOptions) => Aggregator;
} = {
  'weighted-mean': (_, options) => weightedMean(options),
  mean,
  'cost-weighted': costWeighted,
  'pid-weighted': pidWeighted,
  median,
  'trimmed-mean': trimmedMean,
  krum,
  'multi-krum': multiKrum,
  bulyan,
  'geometric-median': geometricMedian,
  'centred-clipping': centredClipping,
  'norm-clipping': normClipping,
};

/** An aggregator for one round. */
export function createAggregator(spec: AggregatorSpec, options: AggregatorOptions): Aggregator {
  if (!isOwn(spec)) {
    const create = aggregators[spec.kind] as (spec: BuiltInAggregatorSpec, options: AggregatorOptions) => Aggregator;
    return create(spec, options);
  }
  return ownDefinition<AggregatorDefinition>('aggregator', spec.kind).create(optionsOf(spec), options);
}

/** What a trainer is made from at a site. */
export interface TrainerParts {
  readonly job: JobSpec;
  readonly site: string;
  /** What relative paths of the job start from. */
  readonly folder: string;
  /** This site's own configuration; null when the job gives none. */
  readonly config: Json;
  /** The site's cases; absent when the job has no data. */
  readonly cases: CaseSource | undefined;
  /** The site's slices; absent when the job's data are none. */
  readonly slices: SliceSource | undefined;
  /** Where the values of the site's features come from, for statistics. */
  readonly features: FeatureSource | undefined;
  /** Where privacy noise comes from, by round. */
  readonly noise: (round: number) => NoiseSource;
  readonly sessionThreads: number;
  readonly scores: ScoreCache;
  /** Lines of the training code, for the site's log. */
  readonly log: (message: string) => void;
  /** Writes the site's own model into its folder; durable when it resolves. */
  readonly keep: (model: NamedTensors) => Promise<void>;
}

const trainers: {
  readonly [K in BuiltInTrainerSpec['kind']]: (spec: OfKind<BuiltInTrainerSpec, K>, parts: TrainerParts) => Executor;
} = {
  segmentation(trainer, { job, site, cases, sessionThreads, scores }) {
    if (!cases || !isNetwork(job.model)) throw new InternalError('A segmentation job has cases and a network.');
    return segmentationTrainer({
      site,
      cases,
      scores,
      trainer,
      seed: job.seed,
      model: job.model,
      regions: REGIONS,
      engine: { threads: sessionThreads, provider: job.engine.provider },
    });
  },
  translation(trainer, { job, site, slices, sessionThreads: threads }) {
    if (!slices || !isNetwork(job.model)) throw new InternalError('A translation job has slices and a network.');
    const engine = { threads, provider: job.engine.provider };
    return translationTrainer({ site, slices, trainer, seed: job.seed, model: job.model, engine });
  },
  script: (spec, parts) => trainerExecutor(scriptTrainer(spec, trainingSite(parts), roundsOf(parts)), spec.transfer),
  command: (spec, parts) => trainerExecutor(commandTrainer(spec, trainingSite(parts), roundsOf(parts)), spec.transfer),
  statistics(cleansers, { features, noise, log }) {
    if (!features) throw new InternalError('A job of statistics has data.');
    return statisticsExecutor({ source: features, cleansers, noise, log });
  },
};

/** What the site's side of a workflow adds to any trainer. */
const siteSides: {
  readonly [K in BuiltInWorkflowSpec['kind']]?: (
    trainer: Executor,
    spec: OfKind<BuiltInWorkflowSpec, K>,
    parts: TrainerParts,
  ) => Executor;
} = {
  'fed-avg'(trainer, { personal, ditto, contrast }, parts) {
    const { job, keep } = parts;
    if (ditto) return withDitto(trainer, createTrainer(parts), { ...ditto, keep });
    if (personal === undefined) return trainer;
    const own = withPersonalTensors(trainer, { personalOf: (model) => personalOf(job, model), keep });
    return contrast ? withContrast(own, contrast) : own;
  },
  scaffold: withControlVariates,
  'fed-select'(trainer, { every, share, most }, { job, keep }) {
    const parametersOf = (model: NamedTensors) => parameterNames(job.model, model);
    return withOwnNumbers(trainer, { every, share, most, parametersOf, keep });
  },
  'cross-site-eval': withSubmitModel,
};

/** The site's side of a job's tasks. */
export function createExecutor(parts: TrainerParts): Executor {
  const { workflow } = parts.job;
  const trainer = createTrainer(parts);
  if (isOwn(workflow)) return trainer;
  const side = siteSides[workflow.kind] as
    | ((trainer: Executor, spec: BuiltInWorkflowSpec, parts: TrainerParts) => Executor)
    | undefined;
  return side ? side(trainer, workflow, parts) : trainer;
}

function createTrainer(parts: TrainerParts): Executor {
  const spec = parts.job.trainer;
  if (!isOwn(spec))
    return (trainers[spec.kind] as (spec: BuiltInTrainerSpec, parts: TrainerParts) => Executor)(spec, parts);
  const { cases, slices, job, sessionThreads: threads } = parts;
  const definition = ownDefinition<TrainerDefinition>('trainer', spec.kind);
  const site = {
    ...trainingSite(parts),
    engine: { threads, provider: job.engine.provider },
    ...(isNetwork(job.model) && { network: createModel(job.model) }),
    ...(cases && { cases }),
    ...(slices && { slices }),
  };
  const made = definition.create(optionsOf(spec), { ...site, config: configFor(definition, site) });
  return 'execute' in made ? made : trainerExecutor(made, transferOf(spec));
}

/** The data of a site from a data set of the user's own; `undefined` for every other kind of data. */
export function createData(spec: DataSpec, site: TrainingSite): CaseSource | FeatureSource | undefined {
  if (!isOwn(spec)) return undefined;
  const definition = ownDefinition<DataDefinition>('data', spec.kind);
  return definition.create(optionsOf(spec), { ...site, config: configFor(definition, site) });
}

/** The trackers of a job. */
export function createTrackers(job: JobSpec, folder: string): Tracker[] {
  return job.trackers.map((spec) =>
    ownDefinition<TrackerDefinition>('tracker', spec.kind).create(optionsOf(spec), { job: job.name, folder }),
  );
}

function roundsOf({ job }: TrainerParts): number {
  return workflowTraits(job.workflow).rounds;
}

function trainingSite({ job, site, folder, config, log }: TrainerParts): TrainingSite {
  return { job: job.name, site, folder, config, seed: job.seed, log };
}

/** A site's configuration as the part's own schema gives it. */
function configFor({ siteConfig }: TrainerDefinition | DataDefinition, { config }: TrainingSite): never {
  return (siteConfig ? siteConfig.parse(config) : config) as never;
}

function ownDefinition<T>(slot: PartSlot, kind: string): T {
  const part = findOwnPart(slot, kind);
  if (!part) throw new InternalError(`The ${slot} '${kind}' is not loaded here.`);
  return part.definition as T;
}

function optionsOf({ kind: _, ...options }: { readonly kind: string }): never {
  return options as never;
}
