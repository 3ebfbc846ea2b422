/**
 * A job on a server elsewhere, as a run: submitted, followed, and its files fetched.
 *
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AbortedError, QuorumError, SiteFailedError } from '../../errors';
import type { RunResult } from '../../jobs/environment';
import type { JobSpec } from '../../jobs/job-spec';
import type { JobReason } from '../../protocol/admin-api';
import { fileBlob } from '../../transport/blobs';
import { nodeClock } from '../../util/clock';
import { nodeDisk } from '../../util/node-disk';
import { type AdminClient, connectWithKit } from '../admin/admin-client';
import { downloadRun } from '../admin/download-run';
import { followJob, type JobStanding } from '../admin/follow-job';
import { createBundle } from '../provision/bundle';
import type { Kit } from '../provision/kit';
import { readResult } from '../read-result';
import type { RunWork } from '../run-handle';

export interface RemoteRun {
  readonly job: JobSpec;
  /** What relative paths of the job start from. */
  readonly folder: string;
  /** Of whoever submits it. */
  readonly kit: Kit;
  /** Where the files of the run go; told the job's name at the server. */
  readonly resultFolder: (jobId: string) => Promise<string>;
}

/** Runs a job elsewhere to its end. One that was submitted before is followed. @throws what ended it. */
export async function runRemotely({ job, folder, kit, resultFolder }: RemoteRun, work: RunWork): Promise<RunResult> {
  const { signal } = work;
  const id = await submit(job, folder, kit, signal);
  try {
    const standing = await follow(id, kit, work);
    return await fetchResult(id, standing, { job, kit, resultFolder }, signal);
  } catch (error) {
    if (signal.aborted) await abortThere(id, kit);
    throw error;
  }
}

async function submit(job: JobSpec, folder: string, kit: Kit, signal: AbortSignal): Promise<string> {
  const temporary = await mkdtemp(join(tmpdir(), 'consilium-'));
  const file = join(temporary, 'bundle');
  try {
    const { sha256, size, hash } = await createBundle(job, { folder, kit, include: [] }, file, nodeDisk);
    const bundle = fileBlob(nodeDisk, file, { sha256, size });
    return await withClient(kit, signal, async (client) => {
      client.offer(bundle);
      const { job: id } = await client.call('submit', { bundle: bundle.ref, hash }, signal);
      return id;
    }).finally(() => bundle.close());
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function follow(id: string, kit: Kit, { emit, signal }: RunWork): Promise<JobStanding> {
  const lost = ({ message }: Error, retryMs: number) =>
    emit({ kind: 'log', level: 'warn', message: `${message} Trying again in ${retryMs / 1000} s.` });
  const entries = followJob(id, { connect: () => connectWithKit(kit, signal), clock: nodeClock, lost, signal });
  for (;;) {
    const { value, done } = await entries.next();
    if (done) return value;
    if (value.event.kind !== 'done') emit(value.event); // The run says that itself, once its files are here.
  }
}

async function fetchResult(
  id: string,
  { state, reason }: JobStanding,
  { job, kit, resultFolder }: Pick<RemoteRun, 'job' | 'kit' | 'resultFolder'>,
  signal: AbortSignal,
): Promise<RunResult> {
  const target = await resultFolder(id);
  await withClient(kit, signal, (client) => downloadRun(client, id, target, { signal }));
  if (state === 'finished') return readResult(target, job);
  throw endedBy(id, state, reason);
}

function endedBy(id: string, state: JobStanding['state'], reason: JobReason | undefined): Error {
  const message = `${id} ${state}${reason ? `: ${reason.message}` : ''}`;
  const options = reason?.hint === undefined ? {} : { hint: reason.hint };
  if (state === 'aborted') return new AbortedError(message, options);
  return reason?.code === 'QUORUM' ? new QuorumError(message, options) : new SiteFailedError(message, options);
}

/** Whoever stops the run stops the job, too; where nobody answers, it goes on and can be aborted later. */
async function abortThere(id: string, kit: Kit): Promise<void> {
  const soon = AbortSignal.timeout(5000);
  await withClient(kit, soon, (client) =>
    client.call('abort', { job: id, reason: 'Stopped by whoever runs it.' }, soon),
  );
}

async function withClient<T>(kit: Kit, signal: AbortSignal, use: (client: AdminClient) => Promise<T>): Promise<T> {
  const client = await connectWithKit(kit, signal);
  const close = () => client.close();
  signal.addEventListener('abort', close, { once: true });
  try {
    return await use(client);
  } finally {
    signal.removeEventListener('abort', close);
    client.close();
  }
}
