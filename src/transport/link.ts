/**
 * The connection that a site has at the moment, or waits for.
 *
 * @module
 */
import { isConsiliumError } from '../errors';
import type { Fetch } from './agent-types';
import type { Channel, ChannelMessage } from './channel';
import type { CloseReason } from './connection';

export interface Link {
  /** Sends now, or not at all: on the next connection, both ends say anew where they stand. */
  send(message: ChannelMessage): boolean;
  readonly fetch: Fetch;
  /** Closes it: both ends say anew where they stand on the next one. */
  drop(reason: CloseReason): void;
  opened(channel: Channel): void;
  closed(channel: Channel): void;
}

export function createLink(): Link {
  let current: Channel | undefined;
  const waiting = new Set<(channel: Channel) => void>();
  return {
    send(message) {
      current?.send(message);
      return current !== undefined;
    },
    drop: (reason) => current?.close(reason),
    async fetch(ref, sink, signal) {
      for (;;) {
        const channel = current ?? (await next(signal));
        try {
          return await channel.fetch(ref, sink, signal);
        } catch (error) {
          signal.throwIfAborted();
          if (!isConsiliumError(error, 'ConnectError')) throw error;
          if (current === channel) current = undefined; // It is about to say so itself.
        }
      }
    },
    opened(channel) {
      current = channel;
      for (const wake of [...waiting]) wake(channel);
    },
    closed(channel) {
      if (current === channel) current = undefined;
    },
  };

  function next(signal: AbortSignal): Promise<Channel> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const stop = () => {
        waiting.delete(wake);
        reject(signal.reason);
      };
      const wake = (channel: Channel) => {
        waiting.delete(wake);
        signal.removeEventListener('abort', stop);
        resolve(channel);
      };
      waiting.add(wake);
      signal.addEventListener('abort', stop, { once: true });
    });
  }
}
