/**
 * Follows what happens in a job until it has ended, through lost connections and restarts of the server.
 *
 * @module
 */
import { isConsiliumError } from '../../errors';
import type { JobReason, JobState } from '../../protocol/admin-api';
import { hasEnded } from '../../protocol/admin-api';
import { decodeEntry, type RunEntry } from '../../protocol/run-event';
import { type Clock, delay } from '../../util/clock';
import type { AdminClient } from './admin-client';

export interface FollowOptions {
  /** Connects anew. */
  readonly connect: () => Promise<AdminClient>;
  readonly clock: Clock;
  /** Number of the first entry. @default 0 */
  readonly from?: number;
  /** Told when the connection was lost, and how long until the next attempt. */
  readonly lost?: (error: Error, retryMs: number) => void;
  readonly signal: AbortSignal;
}

export interface JobStanding {
  readonly state: JobState;
  readonly reason?: JobReason | undefined;
}

const retryMs = { first: 500, longest: 30_000 };

/**
 * Yields what happens, in order; returns how the job has ended. Progress has the number of the entry after it.
 *
 * @throws what the server refuses, and the signal's reason.
 */
export async function* followJob(
  job: string,
  { connect, clock, from = 0, lost = () => {}, signal }: FollowOptions,
): AsyncGenerator<RunEntry, JobStanding> {
  let next = from;
  let waitMs = retryMs.first;
  for (;;) {
    try {
      const standing = yield* follow(await connect());
      if (standing && hasEnded(standing.state)) return standing;
    } catch (error) {
      if (!isConsiliumError(error, 'ConnectError')) throw error;
      lost(error, waitMs);
    }
    await delay(clock, waitMs, signal);
    waitMs = Math.min(retryMs.longest, 2 * waitMs);
  }

  async function* follow(client: AdminClient): AsyncGenerator<RunEntry, JobStanding | undefined> {
    const stop = () => client.close();
    signal.addEventListener('abort', stop, { once: true });
    let standing: JobStanding | undefined;
    try {
      for await (const { entries, state, reason } of client.pages('logs', { job, from: next, follow: true })) {
        waitMs = retryMs.first;
        standing = { state, reason };
        for (const entry of entries.map(decodeEntry)) {
          yield entry;
          if (entry.event.kind !== 'progress') next = entry.n + 1;
        }
      }
      return standing;
    } finally {
      signal.removeEventListener('abort', stop);
      client.close();
      signal.throwIfAborted();
    }
  }
}
