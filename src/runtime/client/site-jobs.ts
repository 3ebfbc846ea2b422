/**
 * What a site keeps of its jobs, and how it carries out their tasks: the part of a site that survives being killed. What may run
 * here is decided by `consider`, and how it runs by `start`.
 *
 * @module
 */
import { join } from 'node:path';
import { z } from 'zod';
import { DataError, InternalError, RefusedError } from '../../errors';
import type { Task, Update } from '../../protocol/messages';
import type { BlobRef, MessageOf, SiteJobState } from '../../protocol/wire/messages';
import { sha256Hex } from '../../protocol/wire/messages';
import type { Fetch, JobVerdict, SiteJobs, TaskContext } from '../../transport/agent-types';
import { fileSink } from '../../transport/file-sink';
import { namesIn, removeTemporaryFiles, writeFileAtomic } from '../../util/atomic-file';
import type { Disk } from '../../util/disk';
import { forgetFolders } from '../../util/durable-folder';
import { failpoint } from '../../util/failpoint';
import { type AnswerStore, openAnswerStore } from './answer-store';
import { receivedModels } from './received-models';

export interface SiteJobsOptions {
  readonly disk: Disk;
  /** `<workspace>/jobs`: a folder for each job. */
  readonly folder: string;
  readonly site: string;
  /** Largest bundle that is taken, bytes. @default 10 MiB */
  readonly bundleLimit?: number;
  /**
   * The bundle of an offered job lies whole in `bundleFile`: whether this site takes part. When it does, what running needs is in
   * `folder` afterwards. A bad bundle is refused, with a reason that names no path or value of this site.
   */
  consider(job: string, bundleFile: string, folder: string): Promise<JobVerdict>;
  /** Starts what carries out the tasks of an accepted job. Called at the job's first task in this process. */
  start(job: string, folder: string): Promise<TaskRunner>;
}

/** Carries out the tasks of a job. */
export interface TaskRunner {
  /**
   * One task at a time. When it resolves, filters have been applied, privacy is booked, and the trainer's state is durable.
   * Rejects with the signal's reason soon after it is aborted.
   */
  run(task: Task, context: TaskContext): Promise<Update>;
  close(): Promise<void>;
}

const savedJob = z.strictObject({
  version: z.literal(1),
  state: z.enum(['accepted', 'refused', 'ended']),
  reason: z.string(),
  bundle: z.strictObject({ sha256: sha256Hex, size: z.int().nonnegative() }),
});

interface JobAtSite {
  readonly id: string;
  readonly folder: string;
  saved: z.output<typeof savedJob> | undefined;
  readonly answers: AnswerStore;
  readonly models: ReturnType<typeof receivedModels>;
  runner: Promise<TaskRunner> | undefined;
  /** Offers, tasks and the end of the job follow one another. */
  queue: Promise<unknown>;
  working: string | undefined;
}

export interface OpenSiteJobs extends SiteJobs {
  /** Ends what runs; what is kept stays. */
  close(): Promise<void>;
}

/** Reads what earlier processes of this site have left. */
export async function siteJobs(options: SiteJobsOptions): Promise<OpenSiteJobs> {
  const { disk, folder } = options;
  const jobs = new Map<string, JobAtSite>();
  await removeTemporaryFiles(folder, disk);
  for (const id of await namesIn(folder, disk)) {
    const job = await openJob(id, options);
    if (job.saved?.state === 'ended') await clear(job, disk); // A process that was killed may not have come to it.
    jobs.set(id, job);
  }
  return {
    states: () => [...jobs.values()].flatMap(stateOf),
    source(sha256) {
      for (const { answers } of jobs.values()) {
        const source = answers.source(sha256);
        if (source) return source;
      }
      return undefined;
    },
    async offered(id, bundle, fetch, signal) {
      const job = jobs.get(id) ?? (await openJob(id, options));
      jobs.set(id, job);
      return inTurn(job, () => consider(job, bundle, fetch, signal, options));
    },
    async run(message, fetch, context) {
      const job = jobs.get(message.job);
      if (!job) throw new RefusedError(`The job '${message.job}' was never offered to this site.`);
      return job.answers.of(message.task) ?? inTurn(job, () => carryOut(job, message, fetch, context, options));
    },
    async answered(id, task) {
      await jobs.get(id)?.answers.told(task);
    },
    async ended(id, outcome, reason) {
      const job = jobs.get(id);
      if (job) await inTurn(job, () => endJob(job, `${outcome}: ${reason}`, disk));
    },
    async close() {
      for (const { runner, queue, answers } of jobs.values()) {
        await queue.catch(() => {}); // Told to whoever waits for it.
        await (await runner?.catch(() => undefined))?.close();
        await answers.close();
      }
    },
  };
}

async function openJob(id: string, { disk, folder: parent }: SiteJobsOptions): Promise<JobAtSite> {
  const folder = join(parent, id);
  const answers = await openAnswerStore(disk, join(folder, 'answers'));
  const models = receivedModels(disk, join(folder, 'models'));
  const saved = await readSaved(disk, folder);
  return { id, folder, saved, answers, models, runner: undefined, queue: Promise.resolve(), working: undefined };
}

function inTurn<T>(job: JobAtSite, work: () => Promise<T>): Promise<T> {
  const done = job.queue.then(work, work);
  job.queue = done.catch(() => {}); // Told to whoever asked for it.
  return done;
}

function stateOf({ id, saved, answers, working }: JobAtSite): SiteJobState[] {
  if (!saved || saved.state === 'ended') return [];
  return [
    { job: id, state: saved.state, working: working === undefined ? [] : [working], answers: [...answers.untold()] },
  ];
}

async function consider(
  job: JobAtSite,
  bundle: BlobRef,
  fetch: Fetch,
  signal: AbortSignal,
  { disk, bundleLimit = 10 * 2 ** 20, consider: decide }: SiteJobsOptions,
): Promise<JobVerdict> {
  const { saved, folder } = job;
  if (saved?.state === 'accepted' && saved.bundle.sha256 === bundle.sha256) return { verdict: 'accepted', reason: '' };
  if (saved?.state === 'accepted') {
    return { verdict: 'refused', reason: 'A different job of this name is running here.' };
  }
  if (bundle.size > bundleLimit) {
    return { verdict: 'refused', reason: `The job has ${bundle.size} bytes; at most ${bundleLimit} are taken.` };
  }
  const sink = fileSink(disk, join(folder, 'bundle'), bundle);
  await fetch(bundle, sink, signal);
  const verdict = await decide(job.id, sink.path, folder);
  await save(job, { version: 1, state: verdict.verdict, reason: verdict.reason, bundle }, disk);
  return verdict;
}

async function carryOut(
  job: JobAtSite,
  message: MessageOf<'task'>,
  fetch: Fetch,
  context: TaskContext,
  { site, start }: SiteJobsOptions,
) {
  const known = job.answers.of(message.task);
  if (known) return known;
  const { saved } = job;
  if (saved?.state !== 'accepted') throw new RefusedError(`The job '${job.id}' is not accepted at this site.`);
  context.signal.throwIfAborted();
  job.working = message.task;
  try {
    const model = await job.models.receive(message.model, fetch, context.signal);
    failpoint('model-received', `${message.kind} ${message.round}`);
    const { kind, round, settings } = message;
    job.runner ??= start(job.id, job.folder);
    const runner = await job.runner.catch((error: unknown) => {
      job.runner = undefined; // The next task tries again.
      throw error;
    });
    const task: Task = settings === undefined ? { kind, round, model } : { kind, round, model, settings };
    const update = await runner.run(task, context);
    if (update.site !== site || update.round !== round || update.task !== kind) {
      throw new InternalError(`The answer is of ${update.site}, ${update.task} ${update.round}.`);
    }
    const answer = await job.answers.save(message.task, update, message.model.sha256);
    failpoint('answer-kept', `${message.kind} ${message.round}`);
    return answer;
  } finally {
    job.working = undefined;
  }
}

/** What was only for the run goes; the account of privacy, the logs and the verdict stay. */
async function endJob(job: JobAtSite, reason: string, disk: Disk): Promise<void> {
  if (!job.saved || job.saved.state === 'ended') return;
  const runner = job.runner;
  job.runner = undefined;
  await (await runner?.catch(() => undefined))?.close();
  await save(job, { ...job.saved, state: 'ended', reason }, disk);
  await clear(job, disk);
}

async function clear(job: JobAtSite, disk: Disk): Promise<void> {
  await job.answers.forget();
  job.models.forget();
  for (const name of ['answers', 'models', 'state', 'bundle', 'files']) {
    await disk.remove(join(job.folder, name));
    forgetFolders(disk, join(job.folder, name));
  }
}

async function save(job: JobAtSite, saved: z.output<typeof savedJob>, disk: Disk): Promise<void> {
  await writeFileAtomic(join(job.folder, 'job-state.json'), `${JSON.stringify(saved)}\n`, { disk });
  job.saved = saved;
}

async function readSaved(disk: Disk, folder: string): Promise<z.output<typeof savedJob> | undefined> {
  const file = join(folder, 'job-state.json');
  if (!(await disk.exists(file))) return undefined;
  try {
    return savedJob.parse(JSON.parse((await disk.readFile(file)).toString('utf8')));
  } catch (cause) {
    throw new DataError(`The file '${file}' is damaged.`, {
      cause,
      file,
      hint: 'Restore it from a copy; or move the folder of the job away, and the job is offered anew.',
    });
  }
}
