/**
 * A job that runs at a server, as a run of this process: submitted, followed through lost connections, its files fetched.
 *
 * @module
 */
import {
  AbortedError,
  ConfigError,
  type ConsiliumError,
  isConsiliumError,
  QuorumError,
  SiteFailedError,
  WorkflowError,
  WorkspaceError,
} from '../../errors';
import type { RunEvent, RunResult } from '../../jobs/environment';
import type { JobSpec } from '../../jobs/job-spec';
import type { AdminParams, JobDetails, JobFault, JobReason } from '../../protocol/admin-api';
import { fileBlob } from '../../transport/blobs';
import { delay, nodeClock } from '../../util/clock';
import { nodeDisk } from '../../util/node-disk';
import { type AdminClient, connectWithKit } from '../admin/admin-client';
import { downloadRun } from '../admin/download-run';
import { followJob, type JobStanding } from '../admin/follow-job';
import type { WrittenBundle } from '../provision/bundle';
import type { Kit } from '../provision/kit';
import { archiveEarlierRun, runFolder } from '../run-folder';
import type { RunWork } from '../run-handle';
import { readResult } from '../run-result';

export interface RemoteRunOptions {
  readonly kit: Kit;
  readonly job: JobSpec;
  readonly bundle: WrittenBundle;
  readonly workspace: string;
  /** Name of the folder of results in the workspace. @default the job's name at the server: another call fetches what is missing */
  readonly name?: string;
}

/** Runs a job at a server; one that was submitted before is taken up where it stands. @throws what ended it. */
export async function runRemotely(options: RemoteRunOptions, { signal, emit }: RunWork): Promise<RunResult> {
  const { kit, job, bundle, workspace } = options;
  const submitted = await withClient(kit, signal, (client) => submit(client, bundle), 1);
  const id = submitted.job;
  const folder = runFolder(workspace, options.name ?? id);
  const again = submitted.created ? 'submitted' : `submitted before, ${submitted.state}`;
  emit({ kind: 'log', level: 'info', message: `${id} ${again}` });
  const standing = await follow(id, options, { signal, emit: (event) => passOn(event, folder.root, emit) });
  if (standing.state !== 'finished') throw await endedEarly(id, standing, kit);
  if (options.name !== undefined) {
    const archived = await archiveEarlierRun(folder);
    if (archived) emit({ kind: 'log', level: 'info', message: `The earlier run of this name is kept in ${archived}.` });
  }
  await withClient(kit, signal, (client) => downloadRun(client, id, folder.root, { signal }));
  return readResult(folder.root, job);
}

async function submit(client: AdminClient, { file, sha256, size, hash }: WrittenBundle) {
  const source = fileBlob(nodeDisk, file, { sha256, size });
  client.offer(source);
  const params: AdminParams<'submit'> = { bundle: source.ref, hash };
  return client.call('submit', params).finally(() => source.close());
}

/** Attempts to reach a server that has been reached before, and may be about to come back; and the time between them. */
const attempts = 10;
const pauseMs = 1000;

/** Asks on a connection of its own; as often as `tries` says when that is lost, or cannot be had. */
async function withClient<T>(
  kit: Kit,
  signal: AbortSignal,
  ask: (client: AdminClient) => Promise<T>,
  tries = attempts,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    try {
      const client = await connectWithKit(kit, signal);
      return await ask(client).finally(() => client.close());
    } catch (error) {
      if (attempt >= tries || !isConsiliumError(error, 'ConnectError')) throw error;
    }
    await delay(nodeClock, pauseMs, signal);
  }
}

/** To its end: when the caller stops the run, the server is told, and says how it ended. */
async function follow(id: string, { kit }: RemoteRunOptions, { signal, emit }: RunWork): Promise<JobStanding> {
  const gone = new AbortController();
  const stop = () => {
    const reason = signal.reason instanceof Error ? signal.reason.message : 'The run was stopped.';
    withClient(kit, gone.signal, (client) => client.call('abort', { job: id, reason })).catch((cause: unknown) =>
      gone.abort(unheard(id, cause)),
    );
  };
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const lost = ({ message }: Error, retryMs: number) =>
    emit({ kind: 'log', level: 'warn', message: `${message} Trying again in ${retryMs / 1000} s.` });
  const entries = followJob(id, {
    connect: () => connectWithKit(kit, gone.signal),
    clock: nodeClock,
    lost,
    signal: gone.signal,
  });
  try {
    for (;;) {
      const { value, done } = await entries.next();
      if (done) return value;
      emit(value.event);
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function unheard(id: string, cause: unknown): AbortedError {
  return new AbortedError(`The run was stopped here, but the server could not be told: the job '${id}' goes on.`, {
    cause,
    hint: `End it with: consilium abort ${id}`,
  });
}

/** The server's folders are not this machine's; that all is over is said when the files are here. */
function passOn(event: RunEvent, folder: string, emit: RunWork['emit']): void {
  if (event.kind === 'done') return;
  emit(event.kind === 'started' ? { ...event, folder } : event);
}

type ErrorClass = new (message: string, options?: { readonly hint?: string }) => ConsiliumError;

const errorOf: { readonly [F in JobFault]: ErrorClass } = {
  ABORTED: AbortedError,
  QUORUM: QuorumError,
  SITE: SiteFailedError,
  AGGREGATOR: WorkflowError,
  DISK: WorkspaceError,
  CONFIG: ConfigError,
  DAMAGED: WorkspaceError,
  FILTER: WorkflowError,
  EXECUTION: WorkflowError,
};

/** Why a job has not finished, with what its sites had to say about it. */
async function endedEarly(id: string, { state, reason }: JobStanding, kit: Kit): Promise<Error> {
  const { signal } = new AbortController();
  const known = await withClient(kit, signal, (client) => client.call('show', { job: id })).catch(() => undefined);
  const { code, message, hint }: JobReason = reason ?? { code: 'EXECUTION', message: `the job ${state}` };
  const refusals = known === undefined ? '' : refusalsOf(known, message);
  const text = `The job '${id}' ${state}: ${message}${refusals}`;
  return new errorOf[code](text, hint === undefined ? {} : { hint });
}

/** Those that are not told yet. */
function refusalsOf({ sites }: JobDetails, told: string): string {
  const refused = sites.filter(({ verdict, reason }) => verdict === 'refused' && !told.includes(reason));
  return refused.map(({ name, reason }) => `\n  ${name} refused the job: ${reason}`).join('');
}
