/**
 * What the hub of the server needs, what it gives to others, and what it tells.
 *
 * @module
 */
import type { AnswerOutcome, BlobRef, MessageOf, SiteResources } from '../protocol/wire/messages';
import type { Clock } from '../util/clock';
import type { Json } from '../util/json';
import type { BlobSource } from './blobs';
import type { ChannelTimes } from './channel';
import type { CloseReason, Connection, ConnectionHandler } from './connection';
import type { FileSink } from './file-sink';

export interface HubTimes extends ChannelTimes {
  /** A site that was out of touch for so long is lost: nobody waits for it any longer who can do without. It may come back. */
  readonly siteLostMs: number;
  /** A connection that has not said hello by then is closed. */
  readonly helloMs: number;
}

export interface HubOptions {
  readonly clock: Clock;
  readonly times: HubTimes;
  /** Name and version of this software. */
  readonly software: string;
  /** A name for a session that no other has. */
  readonly newSession: () => string;
  /** How a job ended that is not open any more; `undefined` for one that the server does not know, or has not begun. */
  readonly ended: (
    job: string,
  ) => { outcome: 'finished' | 'failed' | 'aborted'; reason: string } | 'waiting' | undefined;
  /** Why a site will not come back: it was revoked. @default every site may */
  readonly barred?: (site: string) => string | undefined;
  readonly on: (event: HubEvent) => void;
  /** A bundle that a site asked for cannot be read. */
  readonly unreadable: (site: string, error: unknown) => void;
}

export type HubEvent =
  | {
      readonly kind: 'site-joined';
      readonly site: string;
      readonly session: string;
      readonly software: string;
      /** Of the site's clock, against the server's. */
      readonly aheadMs: number;
    }
  /** A process of the site has taken the place of another one that was connected; `site-joined` follows. */
  | { readonly kind: 'site-replaced'; readonly site: string }
  | { readonly kind: 'site-left'; readonly site: string; readonly reason: CloseReason }
  | {
      readonly kind: 'job-answer';
      readonly site: string;
      readonly job: string;
      readonly verdict: 'accepted' | 'refused';
      readonly reason: string;
    }
  | ({ readonly kind: 'progress'; readonly site: string } & Omit<MessageOf<'progress'>, 'type'>)
  | {
      readonly kind: 'answered';
      readonly site: string;
      readonly job: string;
      readonly task: string;
      readonly round: number;
      readonly outcome: AnswerOutcome;
      readonly reason: string;
      readonly blob: BlobRef;
    };

export interface SiteStatus {
  readonly connected: boolean;
  /** Since when it is connected, or out of touch, on the monotonic clock. */
  readonly sinceMs: number;
  readonly software: string | undefined;
  readonly resources: SiteResources | undefined;
}

/** A job as the hub needs it. */
export interface HubJob {
  readonly id: string;
  readonly sites: readonly string[];
  /** What a site is sent of the job. */
  bundle(site: string): BlobSource;
  /** Where an answer of a site arrives. */
  sink(site: string, ref: BlobRef): FileSink;
  /** Largest answer that is taken, bytes. */
  readonly answerLimit: number;
}

/** What a site is asked: a task with a name that follows from what it is. */
export interface HubTask {
  readonly id: string;
  readonly kind: string;
  readonly round: number;
  readonly settings?: Json | undefined;
  readonly model: BlobSource;
}

/** How a site ended a task, as far as the hub can tell. */
export type Outcome =
  /** The answer lies in a file, whole and flushed. */
  | {
      readonly status: 'answered';
      readonly file: string;
      /** Of the file's bytes; they were checked. */
      readonly sha256: string;
      /** Settles it: the site is told, and told the same whenever it asks again. */
      settle(outcome: AnswerOutcome, reason: string): void;
    }
  | { readonly status: 'failed'; readonly tag: string; readonly message: string }
  /** It could not be received, by no fault of the site: the disk is full, say. The site keeps its answer. */
  | { readonly status: 'unreceived'; readonly error: unknown };

export interface AskOptions {
  /** When it is aborted first, the site is told that nobody waits any longer, and the promise rejects with its reason. */
  readonly signal: AbortSignal;
  /** Told why the site is lost, and of nothing when it is back after that: it is asked all the time. */
  readonly lost: (reason: string | undefined) => void;
}

export interface OpenJob {
  /** Gives a site a task, at once or when it is back; the outcome comes once. */
  ask(site: string, task: HubTask, options: AskOptions): Promise<Outcome>;
  /** The round that is being asked now, and its task: sites that were not asked have answered it already. */
  turn(task: HubTask): void;
  /** Whether a site takes part in the job, and why not. */
  verdict(site: string): JobVerdict;
  /** Whom somebody waits for, and since when. */
  waiting(): readonly Waiting[];
  /** A site takes no further part: it is asked nothing any more, and what it was asked counts as failed. */
  withdraw(site: string, reason: string): void;
  /** Lets go of the job without telling the sites: it will be opened again, after a pause or a restart. */
  pause(): void;
  /** Tells every site, and those that come later. */
  end(outcome: 'finished' | 'failed' | 'aborted', reason: string): void;
}

export interface JobVerdict {
  readonly verdict: 'unknown' | 'accepted' | 'refused' | 'withdrawn';
  readonly reason: string;
}

export interface Waiting {
  readonly site: string;
  readonly task: string;
  readonly round: number;
  /** On the monotonic clock. */
  readonly sinceMs: number;
  readonly what: 'not connected' | 'has not accepted the job' | 'is at work' | 'is sending its answer';
}

export interface Hub {
  /** Takes over a connection of a site whose identity was checked. */
  connect(connection: Connection): ConnectionHandler;
  open(job: HubJob): OpenJob;
  status(site: string): SiteStatus;
  /** Sites that have been seen, in order of their names. */
  sites(): readonly string[];
  /** Who is barred has changed. */
  review(): void;
  /** Ends all connections; sites come back by themselves. */
  close(reason: CloseReason): void;
}
