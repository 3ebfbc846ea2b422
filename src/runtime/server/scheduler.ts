/**
 * Which jobs start now, and why the others do not yet. Pure: the server asks whenever something has changed.
 *
 * Jobs start in the order in which they were submitted. One that waits for room holds its place: a later one that shares a site
 * with it does not overtake it. One whose sites are not there, or can never hold it, holds up nobody.
 *
 * @module
 */
import type { QueueReason } from '../../protocol/admin-api';
import type { SiteResources } from '../../protocol/wire/messages';
import type { SavedJob } from './stored-job';

export type WaitingJob = Pick<SavedJob, 'id' | 'sites' | 'minSites' | 'resources' | 'withdrawn'>;

export interface Situation {
  /** In the order in which they were submitted. */
  readonly queued: readonly WaitingJob[];
  readonly running: readonly WaitingJob[];
  readonly maxJobs: number;
  /** What a connected site offers; `undefined` for one that is not connected. */
  readonly siteOf: (site: string) => SiteResources | undefined;
}

export interface Plan {
  readonly start: readonly string[];
  /** Why each of the other jobs waits. */
  readonly wait: ReadonlyMap<string, QueueReason>;
}

export function plan({ queued, running, maxJobs, siteOf }: Situation): Plan {
  const room: Room = { maxJobs, siteOf, active: 0, taken: new Map(), held: new Map() };
  for (const job of running) take(job, room);
  const start: string[] = [];
  const wait = new Map<string, QueueReason>();
  for (const job of queued) {
    const reason = obstacle(job, room);
    if (!reason) {
      start.push(job.id);
      take(job, room);
      continue;
    }
    wait.set(job.id, reason);
    const isForRoom = reason.code === 'server-full' || reason.code === 'site-busy' || reason.code === 'behind';
    for (const site of isForRoom ? job.sites : []) if (!room.held.has(site)) room.held.set(site, job.id);
  }
  return { start, wait };
}

interface Room extends Pick<Situation, 'maxJobs' | 'siteOf'> {
  /** Jobs that run, or are to start. */
  active: number;
  /** What they take, by site. */
  readonly taken: Map<string, SiteResources>;
  /** Sites for which an earlier job waits, and that job. */
  readonly held: Map<string, string>;
}

const nothing: SiteResources = { slots: 0, memoryMb: 0, gpus: 0 };

function take(job: WaitingJob, room: Room): void {
  room.active++;
  for (const site of partsOf(job)) {
    const { slots, memoryMb, gpus } = room.taken.get(site) ?? nothing;
    const { resources } = job;
    room.taken.set(site, { slots: slots + 1, memoryMb: memoryMb + resources.memoryMb, gpus: gpus + resources.gpus });
  }
}

/** The sites that take part. */
function partsOf({ sites, withdrawn }: WaitingJob): readonly string[] {
  return sites.filter((site) => !Object.hasOwn(withdrawn, site));
}

function obstacle(job: WaitingJob, { active, maxJobs, siteOf, taken, held }: Room): QueueReason | undefined {
  const sites = partsOf(job);
  const missing = sites.filter((site) => !siteOf(site));
  const connected = sites.length - missing.length;
  for (const site of sites) {
    const small = tooSmall(site, job, siteOf(site));
    if (small) return small;
  }
  if (connected < job.minSites) {
    return { code: 'sites-missing', needed: job.minSites, connected, missing: missing.slice(0, 20) };
  }
  for (const site of sites) {
    const busy = busySite(site, job, siteOf(site), taken.get(site) ?? nothing);
    if (busy) return busy;
  }
  const earlier = sites.flatMap((site) => held.get(site) ?? [])[0];
  if (earlier !== undefined) return { code: 'behind', job: earlier };
  if (active >= maxJobs) return { code: 'server-full', running: active, maxJobs };
  return undefined;
}

const kinds = ['slots', 'memoryMb', 'gpus'] as const;
type Kind = (typeof kinds)[number];

/** What a job takes at a site. */
function need({ resources }: Pick<WaitingJob, 'resources'>, kind: Kind): number {
  return kind === 'slots' ? 1 : resources[kind];
}

function tooSmall(site: string, job: WaitingJob, offered: SiteResources | undefined): QueueReason | undefined {
  if (!offered) return undefined;
  const what = kinds.find((kind) => need(job, kind) > offered[kind]);
  return what && { code: 'site-too-small', site, what, needs: need(job, what), has: offered[what] };
}

function busySite(
  site: string,
  job: WaitingJob,
  offered: SiteResources | undefined,
  taken: SiteResources,
): QueueReason | undefined {
  if (!offered) return undefined;
  const what = kinds.find((kind) => need(job, kind) > 0 && taken[kind] + need(job, kind) > offered[kind]);
  return what && { code: 'site-busy', site, what };
}
