/**
 * What a server does for each method that people may ask for. Who may has been decided where it depends on the role alone;
 * where it depends on the job, it is decided here.
 *
 * @module
 */
import { join } from 'node:path';
import { RefusedError } from '../../errors';
import type { AdminMethod, AdminParams, AdminResult, JobDetails, JobState, JobSummary } from '../../protocol/admin-api';
import { hasEnded, jobStates } from '../../protocol/admin-api';
import { encodeEntry } from '../../protocol/run-event';
import type { BlobRef } from '../../protocol/wire/messages';
import type { BlobSource } from '../../transport/blobs';
import type { Channel } from '../../transport/channel';
import type { Identity } from '../../transport/connection';
import { fileSink } from '../../transport/file-sink';
import type { JobVerdict } from '../../transport/hub-types';
import type { Clock } from '../../util/clock';
import type { Disk } from '../../util/disk';
import { maxBundleBytes } from '../provision/bundle-format';
import { barred, type Roster } from '../provision/roster';
import type { FederationServer } from './federation-server';
import { requirePermission } from './permissions';
import { runFiles } from './run-files';
import type { ServerSettings } from './server-settings';
import { reasonOf, type SavedJob, stateOf, timesOf } from './stored-job';

/** What all handlers know. */
export interface AdminContext {
  readonly server: FederationServer;
  readonly clock: Clock;
  readonly disk: Disk;
  readonly settings: ServerSettings;
  readonly project: string;
  readonly name: string;
  readonly software: string;
  readonly started: string;
  readonly roster: () => Roster;
  /** Bundles that are being received, by where. */
  readonly submitting: Set<string>;
}

/** One request. */
export interface AdminRequest extends AdminContext {
  readonly by: Identity;
  readonly channel: Pick<Channel, 'fetch'>;
  /** Aborted when nobody waits for the answer any longer. */
  readonly signal: AbortSignal;
  /** Lets the asker fetch a blob on this connection. */
  offer(source: BlobSource & { close(): Promise<void> }): void;
}

type Handler<M extends AdminMethod> = (
  params: AdminParams<M>,
  request: AdminRequest,
) => Promise<AdminResult<M>> | AsyncGenerator<AdminResult<M>, void>;

export const adminHandlers: { readonly [M in AdminMethod]: Handler<M> } = {
  'server-info': serverInfo,
  submit,
  jobs,
  show,
  logs,
  abort,
  clone,
  delete: remove,
  download,
  sites,
};

/** Entries of one page of a list. */
const pageLength = 100;
/** Sites that are told of one job. */
const mostSites = 500;
/** Longest reason in a list, characters. */
const shortReason = 500;

async function serverInfo(_: object, request: AdminRequest): Promise<AdminResult<'server-info'>> {
  const { server, project, name, software, started, by, settings, roster } = request;
  const counts = Object.fromEntries(jobStates.map((state) => [state, 0])) as Record<JobState, number>;
  for (const job of server.store.all()) counts[stateOf(job)]++;
  const known = sitesOf(roster());
  const connected = known.filter((site) => server.hub.status(site.name).connected).length;
  return {
    project,
    server: name,
    software,
    started,
    you: { name: by.name, role: by.role },
    maxJobs: settings.maxJobs,
    allowCode: settings.allowCode,
    jobs: counts,
    sites: { connected, known: known.length },
  };
}

async function submit({ bundle, hash }: AdminParams<'submit'>, request: AdminRequest): Promise<AdminResult<'submit'>> {
  const { server, by, channel, signal, disk } = request;
  const known = server.store.all().find((job) => job.hash === hash && job.clonedFrom === undefined);
  if (known) return { job: known.id, state: stateOf(known), created: false };
  refuseLarge(bundle);
  const sink = fileSink(disk, join(server.incoming, by.name), bundle);
  if (request.submitting.has(sink.path)) throw new RefusedError('The same job is being submitted at this moment.');
  request.submitting.add(sink.path);
  try {
    await channel.fetch(bundle, sink, signal);
    const { job, created } = await server.submit(sink.path, bundle, by);
    return { job: job.id, state: stateOf(job), created };
  } finally {
    request.submitting.delete(sink.path);
    await disk.remove(sink.path); // It is the job's now, or nobody's.
  }
}

function refuseLarge({ size }: BlobRef): void {
  const most = maxBundleBytes + (1 << 24);
  if (size > most) throw new RefusedError(`The job has ${size} bytes with its files; at most ${most} are taken.`);
}

async function* jobs({ states }: AdminParams<'jobs'>, { server }: AdminRequest): AsyncGenerator<AdminResult<'jobs'>> {
  const all = server.store.all().filter((job) => !states || states.includes(stateOf(job)));
  const newestFirst = all.reverse().map((job) => summaryOf(job, server));
  for (const page of pagesOf(newestFirst)) yield { jobs: page };
}

function summaryOf(job: SavedJob, { jobs }: FederationServer): JobSummary {
  const status = jobs.runningJob(job.id)?.status();
  const state = stateOf(job);
  const reason = reasonOf(job);
  const waitsFor = state === 'queued' ? jobs.waitsFor(job.id) : undefined;
  return {
    job: job.id,
    name: job.name,
    state,
    ...(reason && { reason: { ...reason, message: reason.message.slice(0, shortReason) } }),
    ...(waitsFor && { waitsFor }),
    owner: job.owner,
    ...timesOf(job),
    round: status?.round ?? job.finishedRounds,
    rounds: status?.rounds ?? job.rounds,
  };
}

async function show({ job: id }: AdminParams<'show'>, { server, roster }: AdminRequest): Promise<JobDetails> {
  const job = server.job(id);
  const run = server.jobs.runningJob(id);
  const status = run?.status();
  const { submitter, clonedFrom, hash, history } = job;
  const reason = reasonOf(job);
  return {
    ...summaryOf(job, server),
    ...(reason && { reason }),
    hash,
    submitter: submitter.name,
    org: submitter.org,
    ...(clonedFrom !== undefined && { clonedFrom }),
    history,
    sites: job.sites.slice(0, mostSites).map((name) => {
      const { connected } = server.hub.status(name);
      const found = run?.verdictOf(name) ?? earlierVerdict(job, name);
      const reason = found.reason || (barred(roster(), name) ?? '');
      return { name, connected, ...found, reason, ...(Object.hasOwn(job.withdrawn, name) && { verdict: 'withdrawn' }) };
    }),
    waiting: status?.waiting.slice(0, mostSites) ?? [],
    ...(status?.stalledSeconds !== undefined && { stalledSeconds: status.stalledSeconds }),
    metrics: status?.metrics ?? job.metrics,
  };
}

/** What a site has said of a job that does not run. */
function earlierVerdict({ refusals, accepted, withdrawn }: SavedJob, site: string): JobVerdict {
  if (Object.hasOwn(withdrawn, site)) return { verdict: 'withdrawn', reason: withdrawn[site]! };
  const reason = Object.hasOwn(refusals, site) ? refusals[site] : undefined;
  if (reason !== undefined) return { verdict: 'refused', reason };
  return { verdict: accepted.includes(site) ? 'accepted' : 'unknown', reason: '' };
}

async function* logs(
  { job: id, from, follow }: AdminParams<'logs'>,
  { server, signal }: AdminRequest,
): AsyncGenerator<AdminResult<'logs'>> {
  server.job(id);
  const events = await server.jobs.eventsOf(id);
  const standing = () => {
    const job = server.job(id);
    const reason = reasonOf(job);
    return { state: stateOf(job), ...(reason && { reason }) };
  };
  for await (const entries of events.read(from, follow, signal)) {
    yield { entries: entries.map(encodeEntry), ...standing() };
  }
  yield { entries: [], ...standing() };
}

async function abort(
  { job: id, site, reason }: AdminParams<'abort'>,
  { server, by, roster }: AdminRequest,
): Promise<AdminResult<'abort'>> {
  const job = server.job(id);
  const entries = roster().entries;
  const orgOf = (name: string) => entries.find((entry) => entry.name === name)?.org;
  const ownSite = site !== undefined && orgOf(site) === orgOf(by.name);
  requirePermission(by, 'abort', { owner: job.owner, ownSite });
  const why = `by ${by.name}${reason === undefined ? '' : `: ${reason}`}`;
  if (site !== undefined) await server.jobs.withdraw(job, site, by, why);
  else await server.jobs.abort(job, by, why);
  return { job: id, state: stateOf(server.job(id)) };
}

async function clone({ job: id }: AdminParams<'clone'>, { server, by }: AdminRequest): Promise<AdminResult<'clone'>> {
  const original = server.job(id);
  requirePermission(by, 'clone', { owner: original.owner });
  const job = await server.clone(original, by);
  return { job: job.id, state: stateOf(server.job(job.id)) };
}

async function remove(
  { job: id }: AdminParams<'delete'>,
  { server, by }: AdminRequest,
): Promise<AdminResult<'delete'>> {
  const job = server.job(id);
  requirePermission(by, 'delete', { owner: job.owner });
  await server.jobs.remove(job, by);
  return { job: id };
}

async function* download(
  { job: id }: AdminParams<'download'>,
  { server, by, disk, offer, signal }: AdminRequest,
): AsyncGenerator<AdminResult<'download'>> {
  const job = server.job(id);
  if (!hasEnded(stateOf(job))) {
    throw new RefusedError(`The job '${id}' is ${stateOf(job)}: its files are not complete.`, {
      hint: `Wait for its end (consilium logs ${id} --follow), or abort it; then download what there is.`,
    });
  }
  let count = 0;
  for await (const { path, source } of runFiles(server.store.folder(id), job.name, disk)) {
    signal.throwIfAborted();
    offer(source);
    count++;
    yield { files: [{ path, blob: source.ref }] };
  }
  await server.audit.append({ event: 'downloaded', job: id, by: by.name, files: count });
}

async function* sites(_: object, { server, roster, clock }: AdminRequest): AsyncGenerator<AdminResult<'sites'>> {
  const now = clock.monotonicMs();
  const seen = new Set(server.hub.sites());
  const running = server.jobs.running().map(({ id }) => server.job(id));
  const all = sitesOf(roster()).map(({ name, org }) => {
    const { connected, sinceMs, software, resources } = server.hub.status(name);
    const there = running.filter((job) => job.sites.includes(name) && !Object.hasOwn(job.withdrawn, name));
    return {
      name,
      org,
      connected,
      ...(seen.has(name) && { seconds: (now - sinceMs) / 1000 }),
      ...(software !== undefined && { software }),
      ...(resources && { resources }),
      jobs: there.map(({ id }) => id),
      ...(server.isUsedTwice(name) && { usedTwice: true as const }),
    };
  });
  for (const page of pagesOf(all)) yield { sites: page };
}

function sitesOf({ entries }: Roster) {
  return entries.filter(({ role, status }) => role === 'site' && status === 'active');
}

function* pagesOf<T>(items: readonly T[]): Generator<T[]> {
  for (let at = 0; at < items.length; at += pageLength) yield items.slice(at, at + pageLength);
}
