/**
 * What the parts of a job have to say about each other: sizes that fit the network, filters that fit what they filter.
 *
 * @module
 */
import type { z } from 'zod';
import { didYouMean } from '../util/nearest';
import { areMultiples, nearestMultiples, perAxisText } from '../util/per-axis';
import { aggregatorSpec } from './aggregator-spec';
import { checkPhantomSites, checkSlices } from './data-checks';
import { type DataSpec, isBratsData, isSliceData } from './data-spec';
import { type FilterPlacement, filterTraits, type PayloadKind, places } from './filter-spec';
import { isNetwork, type JobModelSpec } from './model-spec';
import { spatialDimsOf, spatialDivisor } from './models/spatial-divisor';
import { type OptionsSchema, problemsOf } from './options-schema';
import { findOwnPart, isOwn } from './own-part';
import { type SegmentationTrainerSpec, type TrainerSpec, transferOf } from './trainer-spec';
import { checkWorkflow } from './workflow-checks';
import { type WorkflowSpec, workflowTraits } from './workflow-spec';

/** The parts of a job that depend on each other. */
export interface CheckedJob {
  readonly sites: readonly string[];
  readonly workflow: WorkflowSpec;
  readonly model: JobModelSpec;
  readonly initialCheckpoint?: string | undefined;
  readonly trainer: TrainerSpec;
  readonly data: DataSpec;
  readonly filters: readonly FilterPlacement[];
  readonly siteConfig: Readonly<Record<string, unknown>>;
}

export type Report = (path: readonly PropertyKey[], message: string) => void;

/**
 * Adds an issue for everything that does not fit together. A part that is wrong in itself is left alone: what it has to say
 * about the others is not known.
 *
 * @param onlySite the one site whose `siteConfig` is here, where the others' is not
 */
export function checkJob(job: CheckedJob, context: z.RefinementCtx, onlySite?: string): void {
  const report: Report = (path, message) => context.addIssue({ code: 'custom', path: [...path], message });
  const wrong = context.issues.map(({ path = [], code }) => ({
    path: [...path],
    ofKeys: code === 'unrecognized_keys',
  }));
  if (wrong.some(({ path, ofKeys }) => path.length === 0 && !ofKeys)) return; // No mapping at all.
  const sound = (...parts: readonly (keyof CheckedJob)[]) =>
    !wrong.some(({ path }) => parts.some((part) => part === path[0]));
  if (sound('sites')) checkNames(job, report);
  if (sound('sites', 'workflow')) checkQuorum(job, report);
  if (sound('workflow')) checkGrace(job, report);
  if (sound('sites', 'siteConfig')) checkConfiguredSites(job, report);
  if (sound('sites', 'siteConfig', 'trainer', 'data'))
    checkSiteConfig(job, report, onlySite === undefined ? job.sites : [onlySite]);
  if (sound('sites', 'data')) checkPhantomSites(job, report);
  if (sound('trainer', 'data')) checkSlices(job, report);
  if (sound('workflow')) checkAggregator(job, report);
  if (sound('sites', 'workflow', 'model', 'initialCheckpoint', 'trainer')) checkWorkflow(job, report);
  if (sound('model', 'initialCheckpoint', 'trainer', 'data', 'workflow')) checkTrainer(job, report);
  if (!sound('sites', 'workflow', 'trainer') || !Array.isArray(job.filters)) return;
  for (const [i, placement] of job.filters.entries()) {
    const ofFilter = wrong.filter(({ path }) => path[0] === 'filters' && path[1] === i);
    // The options of a filter have no say in where it stands.
    if (ofFilter.some(({ path }) => path[2] !== 'filter' && path[2] !== 'at')) continue;
    checkFilter(job, placement, (path, text) => report(['filters', i, ...path], text));
  }
}

function checkNames({ sites }: CheckedJob, report: Report): void {
  const twice = new Set(sites).size < sites.length ? sites.find((site, i) => sites.indexOf(site) !== i) : undefined;
  if (twice !== undefined) report(['sites'], `two sites have the same name, '${twice}'`);
}

function checkQuorum({ sites, workflow }: CheckedJob, report: Report): void {
  const { minSites } = workflowTraits(workflow);
  if (minSites <= sites.length) return;
  report(['workflow', 'minSites'], `${minSites} sites are required, but the job has only ${sites.length}`);
}

/** The deadline of a round holds for the grace too: a longer one would be promised and never given. */
function checkGrace({ workflow }: CheckedJob, report: Report): void {
  const { graceSeconds, roundDeadlineSeconds } = workflow as Readonly<Record<string, unknown>>;
  if (typeof graceSeconds !== 'number' || typeof roundDeadlineSeconds !== 'number') return;
  if (graceSeconds <= roundDeadlineSeconds) return;
  report(
    ['workflow', 'graceSeconds'],
    `${graceSeconds} s are longer than roundDeadlineSeconds, ${roundDeadlineSeconds} s`,
  );
}

function checkConfiguredSites({ sites, siteConfig }: CheckedJob, report: Report): void {
  const known = new Set(sites);
  for (const site of Object.keys(siteConfig)) {
    if (!known.has(site)) report(['siteConfig', site], noSuchSite(site, sites));
  }
}

/** What the trainer and the data of the user's own want to know of each of these sites. */
function checkSiteConfig({ siteConfig, trainer, data }: CheckedJob, report: Report, sites: readonly string[]): void {
  for (const part of [findOwnPart('trainer', trainer.kind), findOwnPart('data', data.kind)]) {
    const schema = (part?.definition as { readonly siteConfig?: OptionsSchema } | undefined)?.siteConfig;
    if (!schema) continue;
    for (const site of sites) {
      const given = Object.hasOwn(siteConfig, site) ? siteConfig[site] : null;
      for (const { path, message } of problemsOf(schema, given)) report(['siteConfig', site, ...path], message);
    }
  }
}

function noSuchSite(site: string, sites: readonly string[]): string {
  return `the job has no site '${site}'; its sites are ${sites.slice(0, 8).join(', ')}${sites.length > 8 ? ', …' : ''}`;
}

/** That of a built-in workflow is part of its schema. */
function checkAggregator({ workflow }: CheckedJob, report: Report): void {
  if (!isOwn(workflow) || workflow.aggregator === undefined) return;
  const problems = problemsOf(aggregatorSpec, workflow.aggregator);
  for (const { path, message } of problems) report(['workflow', 'aggregator', ...path], message);
}

/** A workflow of the user's own may do without. */
function needsModel(workflow: WorkflowSpec): boolean {
  return !isOwn(workflow) && workflow.kind !== 'fed-stats';
}

function checkTrainer({ model, initialCheckpoint, trainer, data, workflow }: CheckedJob, report: Report): void {
  if (initialCheckpoint !== undefined && !isNetwork(model)) {
    report(
      ['initialCheckpoint'],
      `it is for networks, but the model is of kind '${model.kind}'; use kind 'checkpoint' with 'file'`,
    );
  }
  if (model.kind === 'tensors' && Object.keys(model.tensors).length === 0 && needsModel(workflow)) {
    report(['model'], "the job has no model: name a network, 'tensors' with their shapes, or a 'checkpoint' file");
  }
  checkStatistics({ model, trainer, data, workflow }, report);
  if (trainer.kind === 'segmentation') checkSegmentation({ model, trainer, data }, report);
  else if (trainer.kind === 'translation') checkTranslation({ model, data }, report);
  else if (readsItsOwn(trainer) && (isBratsData(data) || isSliceData(data))) {
    report(
      ['data'],
      `the '${trainer.kind}' trainer reads its own data; leave 'data' out, and give folders by 'siteConfig'`,
    );
  }
}

/** Training code of the user's own finds its data by itself. */
function readsItsOwn({ kind }: TrainerSpec): boolean {
  return kind === 'script' || kind === 'command';
}

/** Statistics have a workflow, a trainer and data of their own, and no model. */
function checkStatistics(
  { model, trainer, data, workflow }: Pick<CheckedJob, 'model' | 'trainer' | 'data' | 'workflow'>,
  report: Report,
): void {
  const isWorkflow = workflow.kind === 'fed-stats';
  const isTrainer = trainer.kind === 'statistics';
  if (isWorkflow && !isTrainer && !isOwn(trainer)) {
    report(
      ['trainer', 'kind'],
      `the workflow 'fed-stats' needs the trainer 'statistics', but this is '${trainer.kind}'`,
    );
  }
  if (isTrainer && !isWorkflow && !isOwn(workflow)) {
    report(
      ['workflow', 'kind'],
      `the trainer 'statistics' needs the workflow 'fed-stats', but this is '${workflow.kind}'`,
    );
  }
  if (isTrainer && data.kind === 'none') report(['data'], 'statistics need data');
  if (data.kind === 'csv' && !isTrainer && !isOwn(trainer)) {
    report(['data', 'kind'], `a table is for the trainer 'statistics', but this is '${trainer.kind}'`);
  }
  if (isWorkflow && !(model.kind === 'tensors' && Object.keys(model.tensors).length === 0)) {
    report(['model'], "statistics have no model; leave 'model' out");
  }
  if (isTrainer && trainer.minNoiseLevel >= trainer.maxNoiseLevel) {
    report(
      ['trainer', 'maxNoiseLevel'],
      `it has to be more than minNoiseLevel, ${trainer.minNoiseLevel}: minima and maxima leave with noise only`,
    );
  }
  for (const [feature, [low, high]] of isWorkflow ? Object.entries(workflow.ranges) : []) {
    if (low >= high)
      report(['workflow', 'ranges', feature], `the lowest edge, ${low}, is not below the highest, ${high}`);
  }
}

/** The network halves a volume at each level, so every size it sees has to be a multiple of some number. */
function checkSegmentation(
  { model, trainer, data }: { model: JobModelSpec; trainer: SegmentationTrainerSpec; data: DataSpec },
  report: Report,
): void {
  if (!isNetwork(model)) {
    report(['model'], `the segmentation trainer needs a network, but '${model.kind}' holds tensors only`);
    return;
  }
  if (data.kind === 'none') report(['data'], 'the segmentation trainer needs data');
  if (isOwn(model)) return;
  const dims = spatialDimsOf(model);
  if (dims !== 3) {
    report(['model'], `the data are volumes, but '${model.kind}' with these options takes ${dims}-D images`);
    return;
  }
  const divisor = spatialDivisor(model);
  for (const [name, flag] of [
    ['roi', '--roi_size'],
    ['inferRoi', '--infer_roi_size'],
  ] as const) {
    const size = trainer[name];
    if (areMultiples(size, divisor)) continue;
    const nearest = nearestMultiples(size, divisor);
    report(
      ['trainer', name],
      `${flag} is ${size.join(' ')}, but every size has to be a multiple of ${perAxisText(divisor)} for this network; ${nearest.join(' ')}, for example`,
    );
  }
}

/** Slices are 2-D, with as many channels in as out of them as the data have. */
function checkTranslation({ model, data }: { model: JobModelSpec; data: DataSpec }, report: Report): void {
  if (!isOwn(data) && !isSliceData(data)) {
    report(['data'], `the translation trainer needs slices: 'slices' or 'multi-contrast-phantom', not '${data.kind}'`);
  }
  if (!isNetwork(model)) {
    report(['model'], `the translation trainer needs a network, but '${model.kind}' holds tensors only`);
    return;
  }
  if (isOwn(model)) return;
  const dims = spatialDimsOf(model);
  if (dims !== 2)
    report(['model'], `the data are slices, but '${model.kind}' with these options takes ${dims}-D images`);
}

function checkFilter(job: CheckedJob, placement: FilterPlacement, report: Report): void {
  const { at, filter, tasks = [], sites = [] } = placement;
  const known = workflowTraits(job.workflow).tasks;
  const unknown = tasks.filter((task) => !known.includes(task));
  for (const task of unknown) {
    const meant = didYouMean(task, known);
    report(['tasks'], `the workflow has no task '${task}'.${meant} Its tasks are ${known.join(', ')}`);
  }
  const ofJob = new Set(job.sites);
  for (const site of sites) if (!ofJob.has(site)) report(['sites'], noSuchSite(site, job.sites));
  const traits = traitsOf(filter);
  if (!traits || !places.includes(at)) return;
  if (!traits.at.includes(at)) {
    report(['at'], `'${filter.kind}' protects what leaves a site, so it stands at ${traits.at.join(', ')}`);
    return;
  }
  if (unknown.length > 0) return; // What passes it is not known.
  const sent = payloadsAt(placement, job);
  const refused = sent.filter((kind) => !traits.accepts.includes(kind));
  if (refused.length > 0) {
    report(
      ['filter'],
      `'${filter.kind}' accepts ${traits.accepts.join(', ')}, but this job sends ${refused.join(', ')} there; ${wayOut(refused)}`,
    );
    return;
  }
  checkReached(filter.kind, traits.changes, sent, report);
}

/** Of a built-in filter, whatever its options: what is wrong with them, or with a kind that nobody knows, is told elsewhere. */
function traitsOf(filter: FilterPlacement['filter'] | undefined) {
  const kind: unknown = filter?.kind;
  return typeof kind === 'string' && Object.hasOwn(filterTraits, kind)
    ? filterTraits[kind as keyof typeof filterTraits]
    : undefined;
}

/** A privacy filter that only ever meets what it passes on unchanged would look like protection. */
function checkReached(
  kind: string,
  changes: readonly PayloadKind[],
  sent: readonly PayloadKind[],
  report: Report,
): void {
  if (sent.some((one) => changes.includes(one))) return;
  const passing = sent.length === 0 ? 'nothing' : sent.join(', ');
  report(
    ['tasks'],
    `'${kind}' changes ${changes.join(', ')}, but what passes it here is ${passing}; name the task 'train', or no tasks for all`,
  );
}

function wayOut(refused: readonly PayloadKind[]): string {
  return refused.includes('weights')
    ? "set trainer.transfer to 'weight-diff', or remove the filter"
    : 'remove the filter';
}

/** What passes a filter of the job where it stands. */
export function payloadsAt({ at, tasks }: Pick<FilterPlacement, 'at' | 'tasks'>, job: CheckedJob): PayloadKind[] {
  if (at === 'server-out' || at === 'site-in') return ['weights'];
  const passing = tasks ?? workflowTraits(job.workflow).tasks;
  const kinds = passing.flatMap((task): PayloadKind[] => {
    if (task === 'train') return [trainedPayload(job)];
    if (task === 'submit-model') return ['weights'];
    if (task === 'statistics') return ['statistics'];
    return task === 'validate' ? ['metrics'] : [];
  });
  return [...new Set(kinds)];
}

function trainedPayload({ workflow, trainer }: CheckedJob): PayloadKind {
  if (workflow.kind === 'scaffold') return 'weight-control-diff';
  return workflow.kind === 'fed-select' ? 'weight-share-diff' : transferOf(trainer);
}
