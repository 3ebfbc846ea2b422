import type { Clock } from '../../util/clock';

export interface StallWatch {
  /** Something has happened. */
  touch(): void;
  /** How long nothing has happened, once that is longer than it should be; milliseconds. */
  readonly stalledMs: number | undefined;
  stop(): void;
}

/**
 * Tells when nothing has happened for `stallMs`, and again after twice, four times, … as long.
 *
 * @param tell told how long it has been, milliseconds
 */
export function watchStall(clock: Clock, stallMs: number, tell: (idleMs: number) => void): StallWatch {
  let lastMs = clock.monotonicMs();
  let nextMs = stallMs;
  const idleMs = () => clock.monotonicMs() - lastMs;
  let cancel = clock.after(stallMs, look);
  return {
    touch() {
      lastMs = clock.monotonicMs();
      if (nextMs === stallMs) return; // The timer finds out by itself.
      nextMs = stallMs;
      cancel();
      cancel = clock.after(stallMs, look);
    },
    get stalledMs() {
      const idle = idleMs();
      return idle >= stallMs ? idle : undefined;
    },
    stop: () => cancel(),
  };

  function look(): void {
    const idle = idleMs();
    if (idle >= nextMs) {
      nextMs *= 2;
      tell(idle);
    }
    cancel = clock.after(nextMs - idleMs(), look);
  }
}
