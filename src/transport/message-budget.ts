/**
 * How fast another end may talk: who sends more messages than anybody needs is read more slowly, and nobody else notices.
 *
 * @module
 */
import type { Clock } from '../util/clock';
import type { Connection } from './connection';

/** Messages a second, in the long run and at once. Chunks and their acknowledgements do not count: windows bound them. */
const perSecond = 1000;
const atOnce = 2000;

export interface MessageBudget {
  /** A message came. When it was one too many, nothing is read for a second. */
  spend(): void;
  /** Whether nothing is read just now. */
  readonly spent: boolean;
  stop(): void;
}

export function messageBudget(clock: Clock, connection: Connection): MessageBudget {
  let left = atOnce;
  let filledAt = clock.monotonicMs();
  let cancel: (() => void) | undefined;

  function fill(): void {
    const now = clock.monotonicMs();
    left = Math.min(atOnce, Math.floor((now - filledAt) * (perSecond / 1000)));
    filledAt = now;
  }

  return {
    spend() {
      left--;
      if (left > 0 || cancel !== undefined) return;
      fill();
      if (left > 0) return;
      connection.pause();
      cancel = clock.after(1000, () => {
        cancel = undefined;
        fill();
        connection.resume();
      });
    },
    get spent() {
      return cancel !== undefined;
    },
    stop: () => cancel?.(),
  };
}
