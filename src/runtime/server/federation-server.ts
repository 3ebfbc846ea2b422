/**
 * A server of a federation, apart from what carries its connections: its jobs, the sites that work on them, and the people who
 * ask for them. Clock, disk and connections are passed in.
 *
 * @module
 */
import { join } from 'node:path';
import { errorToData, RefusedError } from '../../errors';
import { hasEnded } from '../../protocol/admin-api';
import type { BlobRef } from '../../protocol/wire/messages';
import type { RunLog } from '../../tracking/run-log';
import type { CloseReason, Connection, ConnectionHandler, Identity } from '../../transport/connection';
import { createHub } from '../../transport/hub';
import type { Hub, HubEvent } from '../../transport/hub-types';
import type { Clock } from '../../util/clock';
import { clockSkew } from '../../util/clock-skew';
import { copyFile } from '../../util/copy-file';
import type { Disk } from '../../util/disk';
import { durableFolder, forgetFolders } from '../../util/durable-folder';
import { type AuditLog, openAudit } from '../audit';
import { barred, type Roster } from '../provision/roster';
import type { RunRecorder, RunRecordOptions } from '../run-record';
import { acceptBundle } from './accept-bundle';
import { answerAudit } from './answer-audit';
import { createJobControl } from './job-control';
import type { JobControl, JobEvent } from './job-control-types';
import { reasonLine } from './job-fault';
import { type JobStore, openJobStore } from './job-store';
import { refusalLine } from './refusals';
import type { ServerSettings } from './server-settings';
import { reasonOf, type SavedJob, stateOf } from './stored-job';
import { twiceUsedKits } from './twice-used-kits';

export interface FederationServerOptions {
  readonly clock: Clock;
  readonly disk: Disk;
  /** A name that no other has: for sessions. */
  readonly newId: () => string;
  /** Absolute path. */
  readonly workspace: string;
  readonly settings: ServerSettings;
  readonly project: string;
  /** Name of the server. */
  readonly name: string;
  /** Certificate of the project's authority, PEM. */
  readonly ca: string;
  readonly roster: () => Roster;
  /** Name and version of this software. */
  readonly software: string;
  readonly log: RunLog;
  /** Makes what keeps the record of a run for people. */
  readonly record: (options: RunRecordOptions) => RunRecorder;
  /** NOT PRIVATE: see `SimEnvOptions.testNoiseSeed`. */
  readonly testNoiseSeed?: number | undefined;
  /** Told of all that happens at sites and in runs. */
  readonly on?: (event: ServerEvent) => void;
}

export type ServerEvent = JobEvent | { readonly kind: 'hub'; readonly event: HubEvent };

export interface FederationServer {
  readonly hub: Hub;
  readonly store: JobStore;
  readonly audit: AuditLog;
  readonly jobs: JobControl;
  /** Whether the startup kit of the site is in use at two places. */
  isUsedTwice(site: string): boolean;
  /** A folder for what arrives and is no job yet. */
  readonly incoming: string;
  /** A site's connection, whose identity was checked. */
  connect(connection: Connection): ConnectionHandler;
  /** @throws RefusedError when there is none. */
  job(id: string): SavedJob;
  /** Makes a job of a bundle that lies in a file; the one that is there, when the same content was submitted before. */
  submit(file: string, ref: BlobRef, by: Identity): Promise<{ readonly job: SavedJob; readonly created: boolean }>;
  /** Runs the same content anew. */
  clone(job: SavedJob, by: Identity): Promise<SavedJob>;
  /** No new rounds; everything is flushed, sites are told and come back. */
  stop(): Promise<void>;
}

/** Reads what earlier processes have left, and goes on with the jobs that were running. */
export async function createServer(options: FederationServerOptions): Promise<FederationServer> {
  const { clock, disk, workspace, settings, log, on = () => {} } = options;
  await durableFolder(workspace, disk);
  const audit = await openAudit(join(workspace, 'audit.jsonl'), { disk, clock });
  const store = await openJobStore({
    disk,
    clock,
    folder: join(workspace, 'jobs'),
    warn: (message) => log.write('error', message),
  });
  const incoming = join(workspace, 'incoming');
  await disk.remove(incoming); // What an earlier process was being sent.
  forgetFolders(disk, incoming);
  await durableFolder(incoming, disk);
  await audit.append({ event: 'server-started', software: options.software });
  const answers = answerAudit(audit, report);
  const kits = twiceUsedKits(clock);
  const hub = createHub({
    clock,
    times: {
      heartbeatMs: settings.heartbeatSeconds * 1000,
      deadMs: settings.deadSeconds * 1000,
      siteLostMs: settings.siteLostSeconds * 1000,
      helloMs: 10_000,
    },
    software: options.software,
    newSession: options.newId,
    ended(id) {
      const job = store.get(id);
      if (!job) return undefined;
      const state = stateOf(job);
      const reason = reasonOf(job);
      return hasEnded(state) ? { outcome: state, reason: reason ? reasonLine(reason) : '' } : 'waiting';
    },
    barred: (site) => barred(options.roster(), site),
    on: (event) => heard(event),
    unreadable: (site, error) => log.write('error', messageOf(error), { site }),
  });
  const jobs = createJobControl({
    ...options,
    store,
    audit,
    hub,
    read: (sha256, update) => answers.read(sha256, update),
    on,
  });
  let stopped: Promise<void> | undefined;
  /** Bundles become jobs one after the other. */
  let accepting: Promise<unknown> = Promise.resolve();

  return {
    hub,
    store,
    audit,
    jobs,
    isUsedTwice: kits.isUsedTwice,
    incoming,
    connect: (connection) => (stopped ? turnAway(connection) : hub.connect(connection)),
    job: jobOf,
    submit: (file, ref, by) => inTurn(() => submit(file, ref, by)),
    clone: (job, by) => inTurn(() => clone(job, by)),
    stop() {
      stopped ??= stop();
      return stopped;
    },
  };

  async function stop(): Promise<void> {
    await accepting;
    await jobs.stop();
    hub.close(stopping);
    await audit.append({ event: 'server-stopped' });
    await audit.close();
    await log.flush();
  }

  function report(error: unknown): void {
    log.write('error', messageOf(error));
  }

  function heard(event: HubEvent): void {
    on({ kind: 'hub', event });
    switch (event.kind) {
      case 'site-joined':
      case 'site-left':
        heardOfSite(event);
        break;
      case 'site-replaced':
        if (kits.replaced(event.site)) tellUsedTwice(event.site);
        break;
      default:
        jobs.runningJob(event.job)?.hear(event);
    }
    if (event.kind === 'answered') answers.settled(event);
    if (event.kind !== 'job-answer') return;
    const { site, job, verdict, reason } = event;
    audit.append({ event: `job-${verdict}`, job, site, ...(reason !== '' && { reason }) }).catch(report);
  }

  function heardOfSite(event: Extract<HubEvent, { readonly kind: 'site-joined' | 'site-left' }>): void {
    const { kind, site } = event;
    for (const job of jobs.running()) if (jobOf(job.id).sites.includes(site)) job.hear(event);
    if (kind === 'site-joined') {
      audit.append({ event: 'joined', site, software: event.software }).catch(report);
      log.write('info', 'joined', { site });
      const skew = clockSkew(event.aheadMs);
      if (skew !== undefined) log.write('warn', skew, { site });
    } else {
      const { code, message } = event.reason;
      audit.append({ event: 'left', site, code, reason: message }).catch(report);
      log.write('info', `left: ${message}`, { site });
    }
    jobs.consider();
  }

  function tellUsedTwice(site: string): void {
    audit.append({ event: 'kit-used-twice', site }).catch(report);
    const next = 'Stop one of them; if one is not yours, revoke the kit and make another.';
    log.write('warn', `two processes with its startup kit take each other's place again and again. ${next}`, { site });
  }

  function jobOf(id: string): SavedJob {
    const job = store.get(id);
    if (job) return job;
    throw new RefusedError(`There is no job '${id}'.`, { hint: '`consilium jobs` lists the jobs of the server.' });
  }

  async function inTurn<T>(act: () => Promise<T>): Promise<T> {
    if (stopped) throw new RefusedError('The server is stopping.', { hint: 'Try again once it is back.' });
    const turn = accepting.then(act, act);
    accepting = turn.catch(() => {});
    return turn;
  }

  async function submit(file: string, ref: BlobRef, by: Identity) {
    const record = ({ id, hash, submitter }: SavedJob) =>
      audit.append({ event: 'submitted', job: id, by: by.name, submitter: submitter.name, hash, ...ref });
    const found = await acceptBundle({ file, ref, by }, { ...acceptance(), record }).catch((error: unknown) => {
      const { message, hint } = errorToData(error);
      log.write('warn', refusalLine(`a submission of '${by.name}'`, { message, ...(hint !== undefined && { hint }) }));
      const reason = message.slice(0, 2000);
      return audit
        .append({ event: 'submission-refused', by: by.name, ...ref, reason })
        .catch(report) // It is refused all the same, and for the first reason.
        .then(() => {
          throw error;
        });
    });
    if (found.created) await jobs.queue(found.job);
    return found;
  }

  async function clone(job: SavedJob, by: Identity): Promise<SavedJob> {
    const file = join(incoming, `${disk.freshName()}.clone`);
    const record = ({ id }: SavedJob) =>
      audit.append({ event: 'cloned', job: id, from: job.id, by: by.name, hash: job.hash });
    try {
      await copyFile(store.folder(job.id).bundle, file, disk);
      const made = await acceptBundle({ file, ref: job.bundle, by, clonedFrom: job }, { ...acceptance(), record });
      await jobs.queue(made.job);
      return made.job;
    } finally {
      await disk.remove(file); // It is the job's now, or nobody's.
    }
  }

  function acceptance() {
    const { ca, project, roster } = options;
    const isSite = ({ role, status }: Roster['entries'][number]) => role === 'site' && status === 'active';
    const sites = () =>
      roster()
        .entries.filter(isSite)
        .map(({ name }) => name);
    return { disk, clock, store, ca, project, allowCode: settings.allowCode, sites };
  }
}

/** Why connections are ended by a server that is told to stop. */
export const stopping: CloseReason = {
  code: 'stopping',
  message: 'The server is stopping.',
  hint: 'It is dialled again by itself.',
};

/** Ends a connection that has just been made. */
export function turnAway(connection: Connection): ConnectionHandler {
  queueMicrotask(() => connection.close(stopping)); // Once it has its handler.
  return { message() {}, closed() {} };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
