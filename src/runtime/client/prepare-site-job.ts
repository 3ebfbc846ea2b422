/**
 * A job becomes what this site can run: read from its bundle, put on this site's data and engine, and looked at as a whole.
 * In the job's own process, since its modules are loaded here.
 *
 * @module
 */
import { ConfigError, errorToData, RefusedError } from '../../errors';
import { filtersAt } from '../../filters/placed-filter';
import type { DataSpec } from '../../jobs/data-spec';
import { payloadsAt } from '../../jobs/job-checks';
import { explain } from '../../jobs/job-problems';
import { type JobSpec, jobSpecAt, siteConfigOf } from '../../jobs/job-spec';
import { isNetwork } from '../../jobs/model-spec';
import { fileProblems } from '../../jobs/named-files';
import { isOwn } from '../../jobs/own-part';
import { workflowTraits } from '../../jobs/workflow-spec';
import { describeModel } from '../../nn/describe-model';
import { createModel } from '../../nn/model';
import type { Json } from '../../util/json';
import { nodeDisk } from '../../util/node-disk';
import { checkData } from '../data-check';
import { type SiteImages, siteCases } from '../job-data';
import type { SiteCases } from '../loader/loader-messages';
import { checkFilters } from '../part-check';
import { prepareData } from '../prepare-data';
import { checkProvider } from '../provider-check';
import { bundleJob, readBundle } from '../provision/bundle';
import type { PreparedJob, SiteJobSetup, UnfitJob } from './job-process-messages';
import { dataVariables, imagesAt, withSiteData } from './site-data';
import type { SiteSettings } from './site-settings';

/** What the slot of the job is started with. */
export interface SiteJob {
  readonly job: JobSpec;
  readonly images: SiteImages | undefined;
  readonly cases: SiteCases | undefined;
  readonly prepared: PreparedJob;
}

/** @throws what has nothing to do with the job: a full disk, say. */
export async function prepareSiteJob(setup: SiteJobSetup, log: (message: string) => void): Promise<SiteJob | UnfitJob> {
  const { site, files, settings } = setup;
  try {
    const job = await must('job', 'the job is not valid at this site', () => readJob(setup));
    await must('code', 'a file or program that the job starts is not there', async () => checkCode(job, files));
    await must('filters', 'a filter of the job does not fit what it sends', async () => checkFilters(job));
    const { provider } = job.engine;
    await must('engine', `the execution provider '${provider}' cannot be used here`, () => checkProvider(job));
    await must('limits.syntheticMb', 'the synthetic data of the job are larger than this site allows', async () =>
      checkSynthetic(job.data, setup.syntheticMb),
    );
    const images = imagesAt(job, site, settings, files);
    await must('data', "what the job needs of this site's data is missing or cannot be read", async () => {
      await prepareData(job.data, settings.workspace, (event) => event.kind === 'log' && log(event.message));
      await checkData({ ...job, sites: [site] }, files, images ? [images] : []);
    });
    return { job, images, cases: siteCases(job, site, images), prepared: describePrepared(job, site) };
  } catch (error) {
    if (error instanceof Unfit) return { rule: error.rule, reason: error.reason, error: errorToData(error.cause) };
    throw error;
  }
}

/** Never leaves this file. */
class Unfit extends Error {
  readonly rule: string;
  readonly reason: string;

  constructor(rule: string, reason: string, cause: unknown) {
    super(reason, { cause });
    this.rule = rule;
    this.reason = reason;
  }
}

async function must<T>(rule: string, reason: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new Unfit(rule, reason, cause);
  }
}

/** With the site's own data, engine and configuration in place of the job's. */
async function readJob({ site, project, ca, acceptedAt, bundleFile, files, settings }: SiteJobSetup): Promise<JobSpec> {
  const file = await nodeDisk.open(bundleFile, 'read');
  try {
    const bundle = await readBundle(file, { ca, project, now: acceptedAt, purpose: 'site', site });
    const variables = dataVariables(bundle.facts, settings);
    const job = withSiteData(await bundleJob(bundle, { folder: files, variables }), settings);
    return withSettings(job, site, settings);
  } finally {
    await file.close();
  }
}

/** @throws ConfigError when the site's own configuration is not what the job's code wants. */
export function withSettings(job: JobSpec, site: string, { provider, siteConfig }: SiteSettings): JobSpec {
  const changed = {
    ...job,
    ...(provider !== undefined && { engine: { ...job.engine, provider } }),
    ...(Object.keys(siteConfig).length > 0 && {
      siteConfig: { [site]: { ...mapping(siteConfigOf(job, site)), ...siteConfig } },
    }),
  };
  const schema = jobSpecAt(site);
  const [problem] = explain(schema, changed);
  if (!problem) return schema.parse(changed);
  throw new ConfigError(`With site.yaml, the job is not valid: ${problem.path.join('.')}: ${problem.message}`, {
    hint: 'Correct siteConfig or provider in site.yaml.',
  });
}

function mapping(config: Json): object {
  return typeof config === 'object' && config !== null && !Array.isArray(config) ? config : {};
}

/** Files that only the server reads are not here. @throws ConfigError */
export function checkCode(job: JobSpec, files: string): void {
  const [problem] = fileProblems(job, files, { checkpoints: false });
  if (problem) throw new ConfigError(`${problem.path.join('.')}: ${problem.message}`, { hint: problem.hint });
}

/** @throws RefusedError */
export function checkSynthetic(data: DataSpec, mostMb: number): void {
  const mb = syntheticBytes(data) / 1e6;
  if (mb > mostMb) throw new RefusedError(`Synthetic data of ${Math.ceil(mb)} MB, and ${mostMb} MB are allowed.`);
}

function syntheticBytes(data: DataSpec): number {
  if (isOwn(data)) return 0;
  // Four images and a label map a case, float32 while they are made.
  if (data.kind === 'brats18-phantom') {
    return (data.sites * data.casesPerSite + data.validationCases) * product(data.shape) * 5 * 4;
  }
  // Three contrasts of two bytes and a mask.
  return data.kind === 'multi-contrast-phantom' ? data.sites * data.patientsPerSite * product(data.shape) * 7 : 0;
}

/** What a policy has a word on, once the job has been read. */
export function describePrepared(job: JobSpec, site: string): PreparedJob {
  const { tasks, rounds } = workflowTraits(job.workflow);
  const out = job.filters.filter(({ sites }) => sites?.includes(site) ?? true);
  return {
    tasks,
    rounds,
    sends: payloadsAt({ at: 'site-out' }, job),
    filtersOut: filtersAt(out, 'site-out').map(({ filter }) => filter.name),
    ...sizesOf(job),
  };
}

function sizesOf({ model: spec, trainer }: JobSpec): Pick<PreparedJob, 'modelBytes' | 'stepBytes'> {
  if (!isNetwork(spec)) {
    const sizes = spec.kind === 'tensors' ? Object.values(spec.tensors).map(product) : undefined;
    return { modelBytes: sizes && 4 * sum(sizes), stepBytes: undefined };
  }
  const model = createModel(spec);
  if (trainer.kind !== 'segmentation' || isOwn(trainer)) {
    return { modelBytes: 4 * sum(model.parameters.map(({ shape }) => product(shape))), stepBytes: undefined };
  }
  const { stateBytes, stepBytes } = describeModel(model, [1, model.inChannels, ...trainer.roi]);
  return { modelBytes: stateBytes, stepBytes };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}

function product(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total * n, 1);
}
