/**
 * The jobs of a server on disk: a folder for each, made and changed in single steps, so that a server that is killed at any
 * moment finds every job as it was or as it was to become.
 *
 * @module
 */
import { basename, join } from 'node:path';
import { DataError, InternalError, isConsiliumError } from '../../errors';
import { type JobSpec, parseJob } from '../../jobs/job-spec';
import type { JobReason, JobState } from '../../protocol/admin-api';
import { codeOf, flushFolder, namesIn, workspaceError, writeFileAtomic } from '../../util/atomic-file';
import { checkedJson, withCheck } from '../../util/checked-json';
import type { Clock } from '../../util/clock';
import type { Disk } from '../../util/disk';
import { durableFolder, forgetFolders } from '../../util/durable-folder';
import { fromJson, toJson } from '../../util/exact-json';
import { type JobFolder, jobFolder, type SavedJob, savedJob } from './stored-job';

export interface JobStoreOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  /** `<workspace>/jobs` */
  readonly folder: string;
  /** Told of a job whose state cannot be read: it stays where it is, and is left alone. */
  readonly warn: (message: string) => void;
}

/** What may change of a job. */
export type JobChange = Partial<
  Pick<SavedJob, 'withdrawn' | 'finishedRounds' | 'metrics' | 'refusals' | 'accepted'>
> & {
  readonly state?: JobState;
  readonly reason?: JobReason;
};

export interface JobStore {
  /** All jobs, in the order in which they were submitted. */
  all(): readonly SavedJob[];
  get(id: string): SavedJob | undefined;
  /** Whether a job, or the remains of one, has the name, or had it: a site that was away takes a new job for the old one. */
  taken(id: string): boolean;
  folder(id: string): JobFolder;
  /** Place for the next job. */
  nextOrder(): number;
  /** Adds a job whose files lie in `made`, a folder of {@link JobStore.making}; that becomes its folder. */
  add(job: SavedJob, made: JobFolder): Promise<void>;
  /** A folder, which does not exist, to make a job in. */
  making(): JobFolder;
  /**
   * Durable when it resolves, and known here even when it could not be made so. Changes of one job follow one another.
   * @throws WorkspaceError
   */
  change(id: string, change: JobChange): Promise<SavedJob>;
  /** Removes all of the job but its name. */
  remove(id: string): Promise<void>;
  /** The job itself. Its modules have to be loaded. @throws DataError when it is not as it was written. */
  readSpec(id: string): Promise<JobSpec>;
}

/** Name of a folder in which a job is made. */
const unfinished = /^\..*\.making$/;
/** What follows the id in the name of the empty folder that a deleted job leaves. */
const deletedSuffix = '.deleted';

/** Reads what there is. @throws WorkspaceError */
export async function openJobStore({ disk, clock, folder, warn }: JobStoreOptions): Promise<JobStore> {
  await durableFolder(folder, disk);
  const jobs = new Map<string, SavedJob>();
  const names = new Set(await namesIn(folder, disk));
  for (const name of names) {
    if (!unfinished.test(name)) continue;
    names.delete(name);
    await disk.remove(join(folder, name));
  }
  const deleted = new Set([...names].filter((name) => name.endsWith(deletedSuffix)));
  for (const name of deleted) {
    names.delete(name);
    await empty(name); // A process that was killed may not have come to the end of it.
  }
  for (const saved of await Promise.all([...names].map(read))) if (saved) jobs.set(saved.id, saved);
  let last = Math.max(-1, ...[...jobs.values()].map(({ order }) => order));
  /** Changes under way, by job. */
  const changes = new Map<string, Promise<unknown>>();

  return {
    all: () => [...jobs.values()].sort((a, b) => a.order - b.order),
    get: (id) => jobs.get(id),
    taken: (id) => names.has(id) || deleted.has(`${id}${deletedSuffix}`),
    folder: (id) => jobFolder(folder, id),
    nextOrder: () => ++last,
    making: () => jobFolder(folder, `.${disk.freshName()}.making`),
    add,
    change: (id, change) => inTurn(id, () => changeNow(id, change)),
    remove: (id) => inTurn(id, () => removeNow(id)),
    readSpec,
  };

  async function read(name: string): Promise<SavedJob | undefined> {
    const { state } = jobFolder(folder, name);
    try {
      const checked = checkedJson((await disk.readFile(state)).toString('utf8').trimEnd());
      if (!checked) throw new DataError('its checksum differs');
      const saved = savedJob.parse(JSON.parse(checked.json));
      if (saved.id !== name) throw new DataError(`it is that of '${saved.id}'`);
      return saved;
    } catch (error) {
      const why = codeOf(error) === 'ENOENT' ? 'it is missing' : error instanceof Error ? error.message : String(error);
      warn(
        `The job in '${join(folder, name)}' is left alone: its state.json cannot be used, ${why}. Restore it from a copy, or move the folder away.`,
      );
      return undefined;
    }
  }

  async function add(job: SavedJob, made: JobFolder): Promise<void> {
    if (names.has(job.id)) throw new InternalError(`There is a job '${job.id}' already.`);
    const { root } = jobFolder(folder, job.id);
    names.add(job.id);
    try {
      await writeState(made.state, job);
      await disk.rename(made.root, root);
      await flushFolder(folder, disk);
      jobs.set(job.id, job);
    } catch (error) {
      // It may have its name already; whoever submitted it is told that it was not taken.
      if (await disk.exists(root)) await disk.rename(root, made.root);
      names.delete(job.id);
      throw isConsiliumError(error) ? error : workspaceError('keep the job', join(folder, job.id), error);
    }
  }

  function inTurn<T>(id: string, act: () => Promise<T>): Promise<T> {
    const turn = (changes.get(id) ?? Promise.resolve()).then(act, act);
    changes.set(id, turn);
    const done = () => changes.get(id) === turn && changes.delete(id);
    turn.then(done, done);
    return turn;
  }

  async function changeNow(id: string, { state, reason, ...fields }: JobChange): Promise<SavedJob> {
    const job = jobs.get(id);
    if (!job) throw new InternalError(`There is no job '${id}'.`);
    const time = new Date(clock.wallMs()).toISOString();
    const entry = state === undefined ? [] : [{ state, time, ...(reason && { reason }) }];
    const changed: SavedJob = { ...job, ...fields, history: shortened([...job.history, ...entry]) };
    jobs.set(id, changed);
    await writeState(jobFolder(folder, id).state, changed);
    return changed;
  }

  async function writeState(file: string, job: SavedJob): Promise<void> {
    await writeFileAtomic(file, `${withCheck(JSON.stringify(job))}\n`, { disk });
  }

  async function removeNow(id: string): Promise<void> {
    const { root } = jobFolder(folder, id);
    const left = `${id}${deletedSuffix}`;
    try {
      await disk.rename(root, join(folder, left)); // In one step, and on a full disk: half a job would be a damaged one.
      await flushFolder(folder, disk);
      jobs.delete(id);
      names.delete(id);
      deleted.add(left);
      forgetFolders(disk, root);
      await empty(left);
    } catch (error) {
      throw isConsiliumError(error) ? error : workspaceError('remove', root, error);
    }
  }

  async function empty(name: string): Promise<void> {
    const root = join(folder, name);
    for (const one of await namesIn(root, disk)) await disk.remove(join(root, one));
  }

  async function readSpec(id: string): Promise<JobSpec> {
    const file = jobFolder(folder, id).job;
    const bytes = await disk.readFile(file).catch((error: unknown) => {
      throw workspaceError('read', file, error);
    });
    const checked = checkedJson(bytes.toString('utf8').trimEnd());
    if (!checked) {
      throw new DataError(`The job '${id}' cannot be run: '${basename(file)}' is not as it was written.`, {
        file,
        hint: 'Delete the job and submit it again.',
      });
    }
    return parseJob(fromJson(checked.json), `job '${id}'`);
  }
}

/** Entries of the history that are kept: the first ones, and the last. */
const keptEntries = { first: 10, last: 90 };

function shortened(history: SavedJob['history'][number][]): SavedJob['history'] {
  const { first, last } = keptEntries;
  const kept = history.length > first + last ? [...history.slice(0, first), ...history.slice(-last)] : history;
  return kept as SavedJob['history'];
}

/** Writes the job itself, for {@link JobStore.readSpec}. */
export async function writeSpec(file: string, job: JobSpec, disk: Disk): Promise<void> {
  await writeFileAtomic(file, `${withCheck(toJson(job))}\n`, { disk });
}
