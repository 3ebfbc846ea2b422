/**
 * What a site's agent needs, and what it tells.
 *
 * @module
 */
import type { ConsiliumError } from '../errors';
import type { AnswerOutcome, BlobRef, MessageOf, SiteJobState, SiteResources } from '../protocol/wire/messages';
import type { Clock } from '../util/clock';
import type { BlobSink, BlobSource } from './blobs';
import type { ChannelTimes } from './channel';
import type { CloseReason, Dialer } from './connection';

/** Fetches a blob from the server, through as many connections as it takes. */
export type Fetch = (ref: BlobRef, sink: BlobSink, signal: AbortSignal) => Promise<void>;

/** An answer that is kept at the site, flushed. */
export interface StoredAnswer {
  readonly round: number;
  readonly blob: BlobRef;
}

export type JobVerdict = Pick<MessageOf<'job-answer'>, 'verdict' | 'reason'>;
type Ended = MessageOf<'end-job'>['outcome'];

/** What the site makes of jobs and tasks. Everything may be asked again, after a lost connection or a restart. */
export interface SiteJobs {
  /** Where it stands with the jobs that have not ended, in the order in which it came to know them. */
  states(): readonly SiteJobState[];
  /** What the server may fetch of the site: its answers. */
  source(sha256: string): BlobSource | undefined;
  offered(job: string, bundle: BlobRef, fetch: Fetch, signal: AbortSignal): Promise<JobVerdict>;
  /** The answer to a task: the kept one, or that of carrying it out. */
  run(task: MessageOf<'task'>, fetch: Fetch, context: TaskContext): Promise<StoredAnswer>;
  answered(job: string, task: string, outcome: AnswerOutcome, reason: string): Promise<void>;
  ended(job: string, outcome: Ended, reason: string): Promise<void>;
}

export type TaskProgress = Omit<MessageOf<'progress'>, 'type' | 'job' | 'round'>;

export interface TaskContext {
  readonly signal: AbortSignal;
  progress(progress: TaskProgress): void;
}

export interface AgentTimes extends ChannelTimes {
  /** How long the server may take to say welcome. */
  readonly welcomeMs: number;
  /** First and longest wait before dialling again. */
  readonly reconnectMinMs: number;
  readonly reconnectMaxMs: number;
}

export interface AgentOptions {
  readonly clock: Clock;
  readonly dialer: Dialer;
  /** In [0, 1), for the jitter of back-off: many sites do not come back in one moment. */
  readonly random: () => number;
  /** Name and version of this software. */
  readonly software: string;
  /** New with every start of the process. */
  readonly boot: string;
  readonly resources: SiteResources;
  readonly times: AgentTimes;
  readonly jobs: SiteJobs;
  readonly on: (event: AgentEvent) => void;
  /** Ends the agent. Tasks in hand are stopped; what is kept on disk is sent after the next start. */
  readonly signal: AbortSignal;
}

export type AgentEvent =
  | { readonly kind: 'connected'; readonly session: string; readonly software: string; readonly clockSkewMs: number }
  | { readonly kind: 'disconnected'; readonly reason: CloseReason }
  | { readonly kind: 'unreachable'; readonly error: ConsiliumError }
  | { readonly kind: 'retrying'; readonly inMs: number }
  | ({ readonly kind: 'job-offered'; readonly job: string } & JobVerdict)
  | { readonly kind: 'job-ended'; readonly job: string; readonly outcome: Ended; readonly reason: string }
  | { readonly kind: 'task-started'; readonly job: string; readonly round: number; readonly task: string }
  | ({ readonly kind: 'answering'; readonly job: string; readonly task: string } & StoredAnswer)
  | { readonly kind: 'task-failed'; readonly job: string; readonly round: number; readonly error: unknown }
  | {
      readonly kind: 'answered';
      readonly job: string;
      readonly task: string;
      readonly outcome: AnswerOutcome;
      readonly reason: string;
    }
  /** Something that should not happen, at the site itself: its disk, say. */
  | { readonly kind: 'trouble'; readonly error: unknown };
