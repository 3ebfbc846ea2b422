/**
 * What the simulator does with a job. The sites train in worker threads ("slots"); everything else is what a real federation
 * runs.
 *
 * @module
 */

import { join } from 'node:path';
import { ConfigError, isConsiliumError, QuorumError } from '../errors';
import type { RunEvent, RunResult } from '../jobs/environment';
import { type JobSpec, jobHash } from '../jobs/job-spec';
import { loadModules } from '../jobs/load-modules';
import { sizeInBytes } from '../tensor/tensor';
import { inMemorySites } from '../transport/in-memory';
import { removeTemporaryFiles } from '../util/atomic-file';
import { type Checkpoint, type CheckpointStore, checkpointStore } from './checkpoint';
import { checkData } from './data-check';
import { type SiteImages, siteCases, siteImages } from './job-data';
import type { SiteCases } from './loader/loader-messages';
import { checkParts } from './part-check';
import { readPersonalModel } from './personal-model';
import { prepareData } from './prepare-data';
import { checkProvider } from './provider-check';
import { inRoundOrder } from './round-order';
import { archiveEarlierRun, lockFolder, type RunFolder, runFolder } from './run-folder';
import type { RunWork } from './run-handle';
import { RunRecord } from './run-record';
import { serveJob, withServerFilters } from './serve-job';
import { freshStart } from './server-run';
import type { SimEnvOptions } from './sim-env';
import { slotCount } from './slot/slot-count';
import type { Picture, SlotSite } from './slot/slot-messages';
import { type Slots, startSlots } from './slot/slots';
import { startingModel } from './starting-model';

/** Cases shown in the report of a simulation. */
const pictureCount = 3;

/** A report of more sites would be too long to look at. */
const mostSitesWithPictures = 8;

export interface SimulateOptions extends SimEnvOptions {
  readonly workspace: string;
  /** What relative paths of the job start from. */
  readonly jobFolder: string;
}

/** Runs a job to its end. @throws what ended it; finished rounds are on disk. */
export async function simulate(job: JobSpec, options: SimulateOptions, work: RunWork): Promise<RunResult> {
  const { workspace, jobFolder } = options;
  const folder = runFolder(workspace, job.name);
  const unlock = await lockFolder(folder);
  try {
    loadModules(job.modules, jobFolder);
    checkParts(job, jobFolder);
    const threads = slotCount(job, options.threads);
    await checkProvider(job);
    await prepareData(job.data, workspace, work.emit);
    const images = job.sites.map((site) => siteImages(job, site, { workspace, folder: jobFolder }));
    const cases = job.sites.map((site, i) => siteCases(job, site, images[i]));
    const selectionCases = await checkData(
      job,
      jobFolder,
      images.flatMap((one) => one ?? []),
    );
    const hash = jobHash(job);
    const store = checkpointStore(folder.checkpoint);
    if (options.resume) await removeTemporaryFiles(folder.root);
    const start = options.resume
      ? await earlierState(store, folder, hash, work.emit)
      : await newRun(store, folder, job, jobFolder, hash, work.emit);
    return await runRounds(
      { job, jobFolder, hash, folder, store, start, images, cases, selectionCases, threads },
      options,
      work,
    );
  } finally {
    await unlock();
  }
}

/** A run whose folder is taken and whose data are there. */
interface PreparedRun {
  readonly job: JobSpec;
  /** What relative paths of the job start from. */
  readonly jobFolder: string;
  readonly hash: string;
  readonly folder: RunFolder;
  readonly store: CheckpointStore;
  readonly start: Checkpoint;
  readonly images: readonly (SiteImages | undefined)[];
  readonly cases: readonly (SiteCases | undefined)[];
  /** Names of the validation cases. */
  readonly selectionCases: readonly string[];
  /** Sites that train at the same time. */
  readonly threads: number;
}

async function runRounds(run: PreparedRun, options: SimEnvOptions, { signal, emit }: RunWork): Promise<RunResult> {
  const { job, jobFolder, hash, folder, store, start, images, cases, selectionCases, threads } = run;
  const tell = inRoundOrder((event) => {
    record.note(event);
    emit(event);
  });
  const siteSetups = job.sites.map(
    (name, i): SlotSite => ({ name, folder: folder.site(name).job, cases: cases[i], images: images[i] }),
  );
  const slots = startSlots({
    job,
    folder: jobFolder,
    sites: siteSetups,
    threads,
    testNoiseSeed: options.testNoiseSeed,
    emit: tell,
  });
  const { count, sessionThreads } = slots;
  const record = new RunRecord({ job, hash, jobFolder, folder, selectionCases, slots: count, sessionThreads });
  try {
    await record.begin(start);
    tell({ kind: 'started', folder: folder.root, slots: count, resumedAt: options.resume ? start.round : undefined });
    for (const site of job.sites) tell({ kind: 'site-joined', site });
    const sites = await withServerFilters(inMemorySites(slots.links, { ahead: sitesAhead(start, slots) }), {
      job,
      ledgerFolder: folder.serverLedger,
      testNoiseSeed: options.testNoiseSeed,
    });
    const last = await serveJob({ job, jobFolder, hash, start, store, sites, record, signal, emit: tell });
    return await record.finish(last, await pictures({ job, sites: siteSetups }, last, slots, signal));
  } catch (error) {
    const full = withSiteFailure(error, slots);
    await record.endedEarly(full, signal.aborted ? 'aborted' : 'failed').catch((second: Error) => {
      // The first error is the one to throw; the second (a full disk, say) is told beside it.
      emit({ kind: 'log', level: 'warn', message: second.message });
    });
    throw full;
  } finally {
    await slots.close();
  }
}

/** Memory for updates that wait for their turn. */
const updatesInMemory = 64 * 2 ** 20;

/**
 * How far the sites may run ahead of the server: what fits into memory, and always enough that no slot waits for the server
 * between two tasks.
 */
function sitesAhead({ model }: Checkpoint, { count }: Slots): number {
  return Math.max(4 * count, Math.floor(updatesInMemory / Math.max(1, sizeInBytes(model))));
}

/** A server is told only the class of a site's failure and where it came; whoever runs the simulator owns the sites and sees the cause. */
function withSiteFailure(error: unknown, slots: Slots): unknown {
  const [cause] = slots.failures.values();
  if (!isConsiliumError(error, 'QuorumError') || !cause) return error;
  return new QuorumError(error.message, { cause, ...(error.hint !== undefined && { hint: error.hint }) });
}

/** Of volumes, some of the first site: all sites validate on the same ones. Of slices, some of every site, by the model that it uses. */
async function pictures(
  { job, sites }: { readonly job: JobSpec; readonly sites: readonly SlotSite[] },
  { best, model }: Checkpoint,
  slots: Slots,
  signal: AbortSignal,
): Promise<readonly Picture[]> {
  if (job.trainer.kind !== 'translation') {
    return slots.pictures(job.sites[0]!, (await best?.model()) ?? model, pictureCount, signal);
  }
  const all: Picture[] = [];
  for (const { name, folder } of sites.slice(0, mostSitesWithPictures)) {
    const used = (await readPersonalModel(folder, model)) ?? model;
    all.push(...(await slots.pictures(name, used, pictureCount, signal)));
  }
  return all;
}

/** @throws ConfigError when there is nothing to continue, or it belongs to another job. */
async function earlierState(
  store: CheckpointStore,
  folder: RunFolder,
  hash: string,
  emit: (event: RunEvent) => void,
): Promise<Checkpoint> {
  const saved = await store.load((message) => emit({ kind: 'log', level: 'warn', message }));
  if (!saved) {
    throw new ConfigError(`There is no run to continue in '${folder.root}'.`, {
      hint: 'Start it without --resume, or check --workspace and --job_name.',
    });
  }
  if (saved.jobHash !== hash) {
    throw new ConfigError(`The run in '${folder.root}' is of another job: its settings differ.`, {
      hint: `Use the flags it was started with (see ${join(folder.job, 'job.yaml')}), or start anew without --resume.`,
    });
  }
  return saved;
}

async function newRun(
  store: CheckpointStore,
  folder: RunFolder,
  job: JobSpec,
  jobFolder: string,
  hash: string,
  emit: (event: RunEvent) => void,
): Promise<Checkpoint> {
  const warn = (message: string) => emit({ kind: 'log', level: 'warn', message });
  const model = await startingModel(job, jobFolder, warn); // A checkpoint that does not fit leaves the earlier run alone.
  const archived = await archiveEarlierRun(folder);
  if (archived) emit({ kind: 'log', level: 'info', message: `The earlier run of this name is kept in ${archived}.` });
  const start = freshStart(hash, model);
  await store.save(start); // From here on the run can be continued, its first round included.
  return start;
}
