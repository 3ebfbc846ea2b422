/**
 * What people may ask a server, and what it answers: parameters and results of every method. Lists that may be long come as
 * several responses, each a page.
 *
 * @module
 */
import { z } from 'zod';
import { json } from '../util/json';
import { foreignName, foreignText } from './wire/foreign-text';
import { blobRef, jobId, sha256Hex, siteName, siteResources } from './wire/messages';

const text = foreignText(4000);
const time = z.iso.datetime();
const count = z.int().nonnegative();

/** Where a job stands. `submitted` only until it is in the queue. */
export const jobStates = ['submitted', 'queued', 'running', 'finished', 'failed', 'aborted'] as const;
export type JobState = (typeof jobStates)[number];
export type EndedState = Extract<JobState, 'finished' | 'failed' | 'aborted'>;

export function hasEnded(state: JobState): state is EndedState {
  return state === 'finished' || state === 'failed' || state === 'aborted';
}

/** Why a job failed or was aborted, for programs. */
export const jobFaults = [
  'ABORTED',
  /** Too few sites took part in a round. */
  'QUORUM',
  /** A site was in error, and the job tolerates none. */
  'SITE',
  /** The server could not combine the updates. */
  'AGGREGATOR',
  /** The server's disk is full or broken. */
  'DISK',
  /** What the job says, or a file of it, is wrong. */
  'CONFIG',
  /** What the server kept of the job is damaged. */
  'DAMAGED',
  /** A filter of the server refused to go on: a budget is spent, say. */
  'FILTER',
  /** Anything else. */
  'EXECUTION',
] as const;
export type JobFault = (typeof jobFaults)[number];

export const jobReason = z.strictObject({ code: z.enum(jobFaults), message: text, hint: text.optional() });
export type JobReason = z.output<typeof jobReason>;

/** Why a job has not begun. */
export const queueReason = z.discriminatedUnion('code', [
  z.strictObject({ code: z.literal('server-full'), running: count, maxJobs: count }),
  z.strictObject({ code: z.literal('behind'), job: jobId }),
  z.strictObject({
    code: z.literal('sites-missing'),
    needed: count,
    connected: count,
    missing: z.array(siteName).max(20),
  }),
  z.strictObject({ code: z.literal('site-busy'), site: siteName, what: z.enum(['slots', 'memoryMb', 'gpus']) }),
  z.strictObject({
    code: z.literal('site-too-small'),
    site: siteName,
    what: z.enum(['slots', 'memoryMb', 'gpus']),
    needs: count,
    has: count,
  }),
  /** It was running; what had stopped it is tried again by itself. */
  z.strictObject({ code: z.literal('paused'), reason: jobReason, retrySeconds: count }),
  z.strictObject({ code: z.literal('stopping') }),
]);
export type QueueReason = z.output<typeof queueReason>;

const jobSummary = z.strictObject({
  job: jobId,
  name: text,
  state: z.enum(jobStates),
  reason: jobReason.optional(),
  waitsFor: queueReason.optional(),
  owner: siteName,
  submitted: time,
  /** Since when it is in its state. */
  since: time,
  /** Finished rounds, and those that are planned. */
  round: count,
  rounds: count,
});
export type JobSummary = z.output<typeof jobSummary>;

export const historyEntry = z.strictObject({ state: z.enum(jobStates), time, reason: jobReason.optional() });

const waiting = z.strictObject({
  site: siteName,
  task: foreignName(64),
  round: count,
  what: text,
  seconds: z.number(),
});
export type WaitingFor = z.output<typeof waiting>;

const jobDetails = jobSummary.extend({
  hash: sha256Hex,
  submitter: siteName,
  org: text,
  clonedFrom: jobId.optional(),
  history: z.array(historyEntry),
  /** What each site says of the job. */
  sites: z.array(
    z.strictObject({
      name: siteName,
      connected: z.boolean(),
      verdict: z.enum(['unknown', 'accepted', 'refused', 'withdrawn']),
      reason: text,
    }),
  ),
  /** Whom the job waits for now. */
  waiting: z.array(waiting),
  /** How long nothing has happened, once that is longer than `stallSeconds`. */
  stalledSeconds: z.number().optional(),
  /** Of the newest global model that was validated. */
  metrics: z.record(foreignName(4000), z.number().nullable()),
});
export type JobDetails = z.output<typeof jobDetails>;

const siteStatus = z.strictObject({
  name: siteName,
  org: text,
  connected: z.boolean(),
  /** How long it is connected, or out of touch; absent for one that this process has not seen. */
  seconds: z.number().optional(),
  software: text.optional(),
  resources: siteResources.optional(),
  /** Jobs that run there now. */
  jobs: z.array(jobId),
  /** Its startup kit is in use at two places: two processes took each other's place again and again in the last ten minutes. Absent otherwise. */
  usedTwice: z.literal(true).optional(),
});
export type SiteStatusInfo = z.output<typeof siteStatus>;

const runFile = z.strictObject({ path: z.string().min(1).max(1000), blob: blobRef });
export type RunFile = z.output<typeof runFile>;

const about = z.strictObject({ job: jobId });
const aboutResult = z.strictObject({ job: jobId, state: z.enum(jobStates) });

/** Parameters and result of each method, or of each page of its result. */
export const adminMethods = {
  'server-info': {
    params: z.strictObject({}),
    result: z.strictObject({
      project: text,
      server: text,
      software: text,
      started: time,
      you: z.strictObject({ name: siteName, role: text }),
      maxJobs: count,
      allowCode: text,
      jobs: z.record(z.enum(jobStates), count),
      sites: z.strictObject({ connected: count, known: count }),
    }),
  },
  /** The bundle is fetched from who submits. The same content again answers with the job that is there. */
  submit: {
    params: z.strictObject({ bundle: blobRef, hash: sha256Hex }),
    result: z.strictObject({ job: jobId, state: z.enum(jobStates), created: z.boolean() }),
  },
  /** Pages, the newest job first. */
  jobs: {
    params: z.strictObject({ states: z.array(z.enum(jobStates)).optional() }),
    result: z.strictObject({ jobs: z.array(jobSummary) }),
  },
  show: { params: about, result: jobDetails },
  /** Pages of what happened, from entry `from` on; with `follow`, until the job has ended. The last has the job's state. */
  logs: {
    params: z.strictObject({ job: jobId, from: count, follow: z.boolean() }),
    result: z.strictObject({ entries: z.array(json), state: z.enum(jobStates), reason: jobReason.optional() }),
  },
  /** With `site`, only that site's part of the job is ended. */
  abort: {
    params: z.strictObject({ job: jobId, site: siteName.optional(), reason: text.optional() }),
    result: aboutResult,
  },
  clone: { params: about, result: aboutResult },
  delete: { params: about, result: z.strictObject({ job: jobId }) },
  /** Pages of the files of a run that has ended; each can then be fetched by its hash on the same connection. */
  download: { params: about, result: z.strictObject({ files: z.array(runFile) }) },
  /** Pages. */
  sites: { params: z.strictObject({}), result: z.strictObject({ sites: z.array(siteStatus) }) },
} as const;

export type AdminMethod = keyof typeof adminMethods;
export type AdminParams<M extends AdminMethod> = z.output<(typeof adminMethods)[M]['params']>;
export type AdminResult<M extends AdminMethod> = z.output<(typeof adminMethods)[M]['result']>;

export function isAdminMethod(name: string): name is AdminMethod {
  return Object.hasOwn(adminMethods, name);
}
