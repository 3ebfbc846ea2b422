/**
 * A task that a site was given, at the server's end: what is known of it while its answer is waited for, and after.
 *
 * @module
 */
import { AbortedError, isConsiliumError } from '../errors';
import type { AnswerOutcome, MessageOf } from '../protocol/wire/messages';
import type { BlobSource } from './blobs';
import type { AskOptions, HubTask, Outcome } from './hub-types';

/** An answer that a site says it has. */
export type Told = Pick<MessageOf<'answer'>, 'task' | 'round' | 'blob'>;

export type Settled = { readonly outcome: AnswerOutcome; readonly reason: string };

/** A task that a site was given. */
export interface Asked {
  readonly task: Omit<HubTask, 'model'>;
  readonly sinceMs: number;
  state: 'open' | 'receiving' | 'delivered' | 'closed';
  /** The site's answer, until the site is told what became of it. */
  told: Told | undefined;
  /** What the site is told when it answers again. */
  settled: Settled | undefined;
  /** As long as the answer is waited for. Nothing holds the model of an earlier round in memory. */
  pending: Pending | undefined;
}

/** What it takes to wait for an answer. */
export interface Pending {
  readonly model: BlobSource;
  /** Ends a transfer that is under way. */
  readonly stop: AbortController;
  /** Ends the watch over a site that is out of touch. */
  cancelWatch: () => void;
  readonly lost: AskOptions['lost'];
  readonly resolve: (outcome: Outcome) => void;
}

/** A task to be given, whose answer is waited for. */
export function newAsked(
  { model, ...task }: HubTask,
  sinceMs: number,
  waiting: Pick<Pending, 'lost' | 'resolve'>,
): Asked {
  const pending = { model, stop: new AbortController(), cancelWatch: () => {}, ...waiting };
  return { task, sinceMs, state: 'open', told: undefined, settled: undefined, pending };
}

export const tooLate: Settled = { outcome: 'closed', reason: 'The round goes on without this answer.' };
export const lost: Settled = { outcome: 'closed', reason: 'The server could not receive the answer.' };
export const counted: Settled = { outcome: 'duplicate', reason: 'The answer was counted before.' };

/** What a site is told that answers again what was settled. */
export function again(settled: Settled): Settled {
  return settled.outcome === 'accepted' ? counted : settled;
}

export function isWaitedFor({ state }: Asked): boolean {
  return state === 'open' || state === 'receiving';
}

/** What the other end did wrong is the site's failure; all else is the server's own. */
export function notReceived(error: unknown): Outcome {
  if (!isConsiliumError(error, 'ProtocolError')) return { status: 'unreceived', error };
  return { status: 'failed', tag: error.tag, message: `its answer could not be received: ${error.message}` };
}

/** @returns what was needed to wait for it */
export function noLongerWaitedFor(asked: Asked, state: 'delivered' | 'closed'): Pending | undefined {
  const { pending } = asked;
  pending?.cancelWatch();
  asked.state = state;
  asked.pending = undefined;
  return pending;
}

/** Ends the wait, and the transfer if there is one. */
export function finish(asked: Asked, outcome: Outcome): void {
  const pending = noLongerWaitedFor(asked, 'closed');
  pending?.stop.abort(new AbortedError('Nobody waits for this answer any longer.'));
  pending?.resolve(outcome);
}

/** Of a task that is waited for. */
export function taskMessage(job: string, { task, pending }: Asked): MessageOf<'task'> {
  const { id, kind, round, settings } = task;
  const what = { type: 'task', job, task: id, kind, round, model: pending!.model.ref } as const;
  return settings === undefined ? what : { ...what, settings };
}
