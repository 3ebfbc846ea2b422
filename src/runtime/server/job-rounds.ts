/**
 * The rounds of one job at a real server: from its checkpoint, or from the start, to its end.
 *
 * @module
 */
import { basename, join } from 'node:path';
import type { RunEvent, RunResult } from '../../jobs/environment';
import type { JobSpec } from '../../jobs/job-spec';
import { loadModules } from '../../jobs/load-modules';
import type { Update } from '../../protocol/messages';
import { readUpdate } from '../../protocol/read-update';
import { safetensorsParts } from '../../tensor/safetensors';
import { type NamedTensors, sizeInBytes } from '../../tensor/tensor';
import { type BlobSource, type FileBlob, fileBlob, memoryBlob } from '../../transport/blobs';
import type { Hub, OpenJob } from '../../transport/hub-types';
import { remoteSites } from '../../transport/remote-sites';
import { removeTemporaryFiles, workspaceError } from '../../util/atomic-file';
import type { Clock } from '../../util/clock';
import { collectGarbage } from '../../util/collect-garbage';
import type { Disk } from '../../util/disk';
import { forgetSpareMemory } from '../../util/spare-memory';
import { type Checkpoint, type CheckpointStore, checkpointStore } from '../checkpoint';
import { noteDigest } from '../model-digest';
import type { RoundLine } from '../round-line';
import { runFolder } from '../run-folder';
import type { RunRecorder, RunRecordOptions } from '../run-record';
import { serveJob, withServerFilters } from '../serve-job';
import { freshStart } from '../server-run';
import { startingModel } from '../starting-model';
import { createSpool } from './spool';
import type { JobFolder, SavedJob } from './stored-job';

export interface JobRoundsOptions {
  readonly job: SavedJob;
  readonly spec: JobSpec;
  readonly folder: JobFolder;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly hub: Pick<Hub, 'open'>;
  /** Makes what keeps the record of the run for people. */
  readonly record: (options: RunRecordOptions) => RunRecorder;
  /** NOT PRIVATE: see `SimEnvOptions.testNoiseSeed`. */
  readonly testNoiseSeed?: number | undefined;
  /** Rounds that were finished by earlier processes. */
  readonly resumed: (lines: readonly RoundLine[]) => void;
  /** The job is open for its sites from here on. */
  readonly opened: (open: OpenJob) => void;
  /** An answer has arrived and was read; whether it counts is not known yet. */
  readonly read: (sha256: string, update: Update) => void;
  readonly emit: (event: RunEvent) => void;
  readonly signal: AbortSignal;
  /** Whether the job will go on, in a later process or after a pause. */
  readonly goesOn: (error: unknown) => boolean;
}

/** @throws what has ended the job; finished rounds are on disk. */
export async function runJobRounds(options: JobRoundsOptions): Promise<RunResult> {
  const { job, spec, folder, disk, clock, signal, emit } = options;
  loadModules(spec.modules, folder.files);
  const run = runFolder(folder.root, spec.name);
  await removeTemporaryFiles(run.root, disk);
  const warn = (message: string) => emit({ kind: 'log', level: 'warn', message });
  const store = checkpointStore(run.checkpoint, { disk, keepAll: true, warn });
  const start = (await store.load(warn)) ?? (await firstCheckpoint(options, store, warn));
  signal.throwIfAborted();
  const record = options.record({
    job: spec,
    hash: job.jobHash,
    jobFolder: folder.files,
    folder: run,
    forSites: true,
  });
  const tell = (event: RunEvent) => {
    record.note(event);
    emit(event);
  };
  const parts = partsOf(job, folder, disk);
  const spool = createSpool(folder.spool, disk);
  try {
    await record.begin(start);
    options.resumed(start.history.lines());
    const open = options.hub.open({
      id: job.id,
      sites: spec.sites,
      bundle: (site) => parts.get(site)!,
      sink: (site, ref) => spool.sink(site, ref),
      answerLimit: answerLimit(start.model),
    });
    options.opened(open);
    const resumedAt = start.history.length > 0 ? start.round : undefined;
    tell({ kind: 'started', folder: basename(folder.root), slots: 0, resumedAt });
    const sites = await withServerFilters(remote(options, open), {
      job: spec,
      ledgerFolder: run.serverLedger,
      testNoiseSeed: options.testNoiseSeed,
      disk,
    });
    const addLine: RunRecorder['addLine'] = async (line, checkpoint) => {
      await record.addLine(line, checkpoint);
      await spool.sweep();
    };
    const served = { job: spec, jobFolder: folder.files, hash: job.jobHash, start, store, sites };
    const last = await serveJob({ ...served, record: { addLine }, clock, signal, emit: tell });
    forgetSpareMemory(); // The files of the models are written next, and need memory of their own.
    collectGarbage();
    const result = await record.finish(last, []);
    await spool.remove();
    return result;
  } catch (error) {
    await endEarly(error, record, options);
    if (!options.goesOn(error)) await spool.remove();
    throw error;
  } finally {
    forgetSpareMemory();
    await Promise.all([...new Set(parts.values())].map((part) => part.close()));
  }
}

/** The first error is the one to throw; a second one (a full disk, say) is told beside it. */
async function endEarly(error: unknown, record: RunRecorder, { signal, emit, goesOn }: JobRoundsOptions) {
  const ended = goesOn(error) ? record.suspend() : record.endedEarly(error, signal.aborted ? 'aborted' : 'failed');
  await ended.catch((second: Error) => emit({ kind: 'log', level: 'warn', message: second.message }));
}

async function firstCheckpoint(
  { job, spec, folder }: JobRoundsOptions,
  store: CheckpointStore,
  warn: (message: string) => void,
): Promise<Checkpoint> {
  const start = freshStart(job.jobHash, await startingModel(spec, folder.files, warn));
  await store.save(start);
  return start;
}

/** What each site is sent of the bundle; sites that are sent the same share a file. */
function partsOf({ parts }: SavedJob, folder: JobFolder, disk: Disk): ReadonlyMap<string, FileBlob> {
  const blobs = new Map<string, FileBlob>();
  return new Map(
    Object.entries(parts).map(([site, ref]) => {
      const blob = blobs.get(ref.sha256) ?? fileBlob(disk, join(folder.parts, ref.sha256), ref);
      blobs.set(ref.sha256, blob);
      return [site, blob];
    }),
  );
}

/** What an answer may be at least, and beyond the tensors of the model, bytes. */
const smallAnswer = 64 * 2 ** 20;

/** An answer has the tensors of the model, and where an algorithm needs it as many again, in at most double precision. */
function answerLimit(model: NamedTensors): number {
  return smallAnswer + 4 * sizeInBytes(model);
}

function remote({ job, spec, disk, clock, read }: JobRoundsOptions, open: OpenJob) {
  return remoteSites({
    job: job.id,
    names: spec.sites,
    hub: open,
    clock,
    prepare: prepared,
    async read(file) {
      const found = await readUpdate(disk, file);
      read(basename(file), found.update);
      return found;
    },
    discard: (file) =>
      disk.remove(file).catch((error: unknown) => {
        throw workspaceError('remove', file, error);
      }),
  });
}

const blobs = new WeakMap<NamedTensors, BlobSource>();

/** A model as it is sent: hashed once, never copied. */
function prepared(model: NamedTensors): BlobSource {
  const known = blobs.get(model);
  if (known) return known;
  const blob = memoryBlob(safetensorsParts(model));
  noteDigest(model, blob.ref.sha256);
  blobs.set(model, blob);
  return blob;
}
