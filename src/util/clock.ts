/**
 * Time as it is passed in: whoever waits asks a clock, so that a test can run days in a second and repeat them.
 *
 * @module
 */

export interface Clock {
  /** Milliseconds on a clock that never jumps or goes back. Every wait and every duration is measured on it. */
  monotonicMs(): number;
  /** Milliseconds since 1970, for stamps and the validity of certificates only: it jumps when somebody sets it. */
  wallMs(): number;
  /** Calls `act` once, `delayMs` from now. @returns takes the call back. */
  after(delayMs: number, act: () => void): () => void;
}

/** Longest delay of a timer of Node; longer ones would fire at once. */
const longestDelayMs = 0x7fffffff;

/** The clock of this machine. Its timers keep the process alive. */
export const nodeClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, act) {
    let timer = setTimeout(fire, Math.min(delayMs, longestDelayMs));
    let left = delayMs;
    return () => clearTimeout(timer);

    function fire(): void {
      left -= longestDelayMs;
      if (left > 0) timer = setTimeout(fire, Math.min(left, longestDelayMs));
      else act();
    }
  },
};

/** Resolves after a while, or rejects with the signal's reason when that comes first. */
export function delay(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const cancel = clock.after(ms, () => {
      signal.removeEventListener('abort', stop);
      resolve();
    });
    const stop = () => {
      cancel();
      reject(signal.reason);
    };
    signal.addEventListener('abort', stop, { once: true });
  });
}
