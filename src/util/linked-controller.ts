/**
 * A controller that aborts with others. On Node 20 `AbortSignal.any` leaves a kilobyte behind with each call for as long as the
 * longest-lived of its signals is there, such as that of a run: this is for what happens in every round.
 *
 * @module
 */
import { setMaxListeners } from 'node:events';

export interface LinkedController {
  /** Aborts with the first of the signals, for its reason; and by {@link LinkedController.close}. */
  readonly signal: AbortSignal;
  abort(): void;
  /** Aborts if nothing has, and lets go of the signals. */
  close(): void;
}

/** @param reason of every abort; without it, that of the signal which aborted */
export function linkedController(signals: readonly AbortSignal[], reason?: () => unknown): LinkedController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal); // One for each site that is asked, and they go with it.
  const listeners = signals.map((signal) => {
    const follow = () => controller.abort(reason ? reason() : signal.reason);
    if (signal.aborted) follow();
    else signal.addEventListener('abort', follow, { once: true });
    return () => signal.removeEventListener('abort', follow);
  });
  const abort = () => controller.abort(reason?.());
  return {
    signal: controller.signal,
    abort,
    close() {
      abort();
      for (const letGo of listeners) letGo();
    },
  };
}
