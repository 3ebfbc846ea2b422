/**
 * What a server and those who dial in say to each other over a connection: the header of every frame. Headers are JSON,
 * checked by these schemas; unknown keys and kinds are errors. Tensors and bundles travel as blobs: known by the SHA-256 of
 * their bytes, sent in chunks, resumed where they broke off.
 *
 * @module
 */
import { z } from 'zod';
import { json } from '../../util/json';
import { foreignName, foreignText } from './foreign-text';

/** Version of this protocol. A hello names the versions that its sender speaks; the server takes the newest of both. */
export const protocolVersion = 1;

export const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hex');
export const siteName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/);
/** Name of a job's folder and a short hash: `brats18_4-1f0a9c3e`. */
export const jobId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,119}$/);
const text = foreignText(2000);
const count = z.int().nonnegative().max(Number.MAX_SAFE_INTEGER);
/** Largest blob that is accepted at all; each receiver has its own, tighter bound. */
const size = count.max(64 * 2 ** 30);

export const blobRef = z.strictObject({ sha256: sha256Hex, size });
export type BlobRef = z.output<typeof blobRef>;

/** Why an answer counts or does not. */
export const answerOutcomes = ['accepted', 'rejected', 'duplicate', 'stale-round', 'unknown-task', 'closed'] as const;
export type AnswerOutcome = (typeof answerOutcomes)[number];

/** What a site can offer; the server starts no more jobs there than fit. */
export const siteResources = z.strictObject({
  /** Jobs that the site works on at one time. */
  slots: count.max(1024),
  memoryMb: count,
  gpus: count.max(1024),
});
export type SiteResources = z.output<typeof siteResources>;

/** Where a site stands with a job that it has taken part in. */
export const siteJobState = z.strictObject({
  job: jobId,
  state: z.enum(['accepted', 'refused', 'ended']),
  /** Tasks that the site is working on. */
  working: z.array(sha256Hex).max(64),
  /** Answers that were not acknowledged yet. */
  answers: z.array(z.strictObject({ task: sha256Hex, round: count, blob: blobRef })).max(64),
});

export type SiteJobState = z.output<typeof siteJobState>;

/** Jobs that one hello tells of. */
export const mostJobsOfHello = 1024;

/** About the connection itself. */
const hello = z.strictObject({
  type: z.literal('hello'),
  protocols: z.array(z.int().positive()).min(1).max(16),
  software: foreignText(100),
  /** New with every start of the process. */
  boot: foreignText(64),
  resources: siteResources.optional(),
  /** Those of which the site does not know yet that they are over; others need not be told. */
  jobs: z.array(siteJobState).max(mostJobsOfHello).optional(),
  /** Milliseconds since 1970 at the site, so that the server can tell a clock that is wrong. */
  timeMs: z.number().optional(),
});
const welcome = z.strictObject({
  type: z.literal('welcome'),
  protocol: z.int().positive(),
  software: foreignText(100),
  session: foreignText(64),
  /** Milliseconds since 1970 at the server, so that a site can tell a clock that is wrong. */
  serverTimeMs: z.number(),
  heartbeatMs: z.number().positive(),
  deadMs: z.number().positive(),
});
/** Nothing to say, but alive. Also carries that the numbering has no gap. */
const beat = z.strictObject({ type: z.literal('beat') });
/** The last word of either end: why the connection is closed. */
const bye = z.strictObject({ type: z.literal('bye'), code: foreignText(40), message: text, hint: text.optional() });

/**
 * Blobs, in both directions. Who wants one opens a stream under a number of its own, which grows by one with every `want`;
 * all that follows names the stream, so that what is still under way for an earlier one is never taken for a later one's.
 */
const stream = z.int().positive().max(0xffffffff);
/** The offset is where the bytes are to begin. */
const want = z.strictObject({ type: z.literal('want'), stream, blob: blobRef, offset: size });
const unwant = z.strictObject({ type: z.literal('unwant'), stream });
const chunk = z.strictObject({
  type: z.literal('chunk'),
  stream,
  offset: size,
  /** CRC-32 of the chunk's bytes. */
  crc: z.int().nonnegative().max(0xffffffff),
});
/** The receiver has everything up to here; the sender may go on. */
const got = z.strictObject({ type: z.literal('got'), stream, offset: size });
/** There is no such blob, or no longer. */
const noBlob = z.strictObject({ type: z.literal('no-blob'), stream });

/** Jobs: server → site. */
const job = z.strictObject({ type: z.literal('job'), job: jobId, bundle: blobRef });
const endJob = z.strictObject({
  type: z.literal('end-job'),
  job: jobId,
  outcome: z.enum(['finished', 'failed', 'aborted']),
  reason: text,
});
/** site → server. */
const jobAnswer = z.strictObject({
  type: z.literal('job-answer'),
  job: jobId,
  verdict: z.enum(['accepted', 'refused']),
  /** Why it was refused: what the site's policy says, never data. */
  reason: text,
});

/** Tasks: server → site. */
const task = z.strictObject({
  type: z.literal('task'),
  job: jobId,
  /** SHA-256 of what the task is: job, kind, round, model, settings. Equal tasks have equal answers. */
  task: sha256Hex,
  kind: foreignName(64).min(1),
  round: count,
  settings: json.optional(),
  model: blobRef,
});
const closeTask = z.strictObject({
  type: z.literal('close-task'),
  job: jobId,
  task: sha256Hex,
  reason: z.enum(['round-closed', 'late', 'aborted']),
});
const answered = z.strictObject({
  type: z.literal('answered'),
  job: jobId,
  task: sha256Hex,
  outcome: z.enum(answerOutcomes),
  reason: text,
});
/** site → server. */
const answer = z.strictObject({
  type: z.literal('answer'),
  job: jobId,
  task: sha256Hex,
  round: count,
  /** The update: safetensors with `update` and `model` in its metadata, as the round journal keeps it. */
  blob: blobRef,
});
const taskFailed = z.strictObject({
  type: z.literal('task-failed'),
  job: jobId,
  task: sha256Hex,
  error: z.strictObject({ tag: foreignText(64), message: text }),
});
const progress = z.strictObject({
  type: z.literal('progress'),
  job: jobId,
  round: count,
  phase: z.enum(['validate', 'train']),
  done: count,
  total: count,
  loss: z.number().optional(),
});

/** Admin: requests and their answers. What methods there are is in `jobs/admin-api.ts`. */
const request = z.strictObject({
  type: z.literal('request'),
  id: count,
  method: foreignName(64).min(1),
  params: json,
});
const response = z.strictObject({
  type: z.literal('response'),
  id: count,
  result: json.optional(),
  error: z.strictObject({ tag: foreignText(64), message: text, hint: text.optional() }).optional(),
  /** More responses to the same request follow: a log that is followed, say. */
  more: z.boolean().optional(),
});
const cancel = z.strictObject({ type: z.literal('cancel'), id: count });

export const message = z.discriminatedUnion('type', [
  hello,
  welcome,
  beat,
  bye,
  want,
  unwant,
  chunk,
  got,
  noBlob,
  job,
  endJob,
  jobAnswer,
  task,
  closeTask,
  answered,
  answer,
  taskFailed,
  progress,
  request,
  response,
  cancel,
]);
export type Message = z.output<typeof message>;
export type MessageOf<T extends Message['type']> = Extract<Message, { readonly type: T }>;

/** Messages that carry bytes after their header. */
export const carriesBytes: ReadonlySet<Message['type']> = new Set(['chunk']);
