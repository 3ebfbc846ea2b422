/**
 * A job at one site, at the server's end.
 *
 * @module
 */
import { type Asked, isWaitedFor, type Told } from './asked-task';
import type { BlobSource } from './blobs';
import type { Channel } from './channel';
import type { Outcome, SiteStatus, Waiting } from './hub-types';

/** One site, connected or not. */
export interface Seat extends Pick<SiteStatus, 'sinceMs' | 'software' | 'resources'> {
  readonly name: string;
  readonly channel: Channel | undefined;
}

/** The job at one site. */
export interface SeatJob {
  verdict: 'unknown' | 'accepted' | 'refused' | 'withdrawn';
  reason: string;
  readonly asked: Map<string, Asked>;
  /** Answers whose task has not been asked yet, by task: the server may be behind its sites for a while after a restart. */
  readonly offers: Map<string, Told>;
}

export function newSeatJob(): SeatJob {
  return { verdict: 'unknown', reason: '', asked: new Map(), offers: new Map() };
}

/** Its tasks whose answers are waited for. */
export function waitedFor({ asked }: SeatJob): Asked[] {
  return [...asked.values()].filter(isWaitedFor);
}

/** Answers that the site says it has, and of which it was not told yet what became of them. */
export function unsettled({ asked, offers }: SeatJob): Told[] {
  return [...[...asked.values()].flatMap(({ told }) => told ?? []), ...offers.values()];
}

/** The model of a task that it is to carry out. */
export function openModel({ asked }: SeatJob, sha256: string): BlobSource | undefined {
  const open = [...asked.values()].filter(({ state }) => state === 'open');
  return open.find(({ pending }) => pending?.model.ref.sha256 === sha256)?.pending?.model;
}

/** What is waited for, as people are told. */
export function waitingFor({ name, channel }: Seat, seatJob: SeatJob): Waiting[] {
  return waitedFor(seatJob).map(({ task, sinceMs, state }) => {
    const what = channel ? whatItDoes(seatJob.verdict, state) : 'not connected';
    return { site: name, task: task.kind, round: task.round, sinceMs, what };
  });
}

function whatItDoes(verdict: SeatJob['verdict'], state: Asked['state']): Waiting['what'] {
  if (state === 'receiving') return 'is sending its answer';
  return verdict === 'accepted' ? 'is at work' : 'has not accepted the job';
}

/** How tasks end at a site that does not take part. */
export function refused({ verdict, reason }: SeatJob): Outcome {
  const message = verdict === 'refused' ? `refused the job: ${reason}` : `was withdrawn from the job: ${reason}`;
  return { status: 'failed', tag: 'RefusedError', message };
}

/** What a site is told that was withdrawn. */
export function withdrawn({ reason }: SeatJob): string {
  return `The site was withdrawn from the job: ${reason}`;
}
