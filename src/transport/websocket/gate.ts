/**
 * Who may begin to connect: bounds what strangers can cost before anybody knows who they are.
 *
 * @module
 */
import type { Clock } from '../../util/clock';

export interface GateLimits {
  /** Sockets that have not proven yet who they are. */
  readonly unauthenticated: number;
  /** Connections that one address may begin, a second in the long run and at once. */
  readonly handshakesPerSecond: number;
  /** How long proving it may take, milliseconds. */
  readonly handshakeMs: number;
}

export interface Gate {
  readonly waiting: number;
  /**
   * Lets a socket begin, and calls `late` when it has not left in time. Or not: then the socket is to be destroyed.
   * @param key names the socket while it waits
   */
  enter(key: string, address: string, late: () => void): boolean;
  /** It has proven who it is, or is closed. */
  leave(key: string): void;
  /** It is late for all who wait. */
  close(): void;
}

interface Bucket {
  left: number;
  filledAtMs: number;
}

/** Addresses that are remembered at most; full buckets need not be. */
const mostBuckets = 4096;

export function gate(clock: Clock, limits: GateLimits): Gate {
  const { unauthenticated, handshakesPerSecond, handshakeMs } = limits;
  const waiting = new Map<string, { readonly late: () => void; readonly cancel: () => void }>();
  const buckets = new Map<string, Bucket>();

  function maySpend(address: string): boolean {
    const nowMs = clock.monotonicMs();
    const bucket = buckets.get(address) ?? { left: handshakesPerSecond, filledAtMs: nowMs };
    const earned = ((nowMs - bucket.filledAtMs) / 1000) * handshakesPerSecond;
    bucket.left = Math.min(handshakesPerSecond, bucket.left + earned);
    bucket.filledAtMs = nowMs;
    if (bucket.left < 1) return false;
    bucket.left--;
    if (!buckets.has(address) && buckets.size >= mostBuckets) forgetFull(nowMs);
    buckets.set(address, bucket);
    return true;
  }

  /** Those who began nothing for a second have everything left. If all are busy, all are forgotten: memory comes first. */
  function forgetFull(nowMs: number): void {
    for (const [address, { filledAtMs }] of buckets) if (nowMs - filledAtMs > 1000) buckets.delete(address);
    if (buckets.size >= mostBuckets) buckets.clear();
  }

  return {
    get waiting() {
      return waiting.size;
    },
    enter(key, address, late) {
      if (waiting.size >= unauthenticated || !maySpend(address)) return false;
      waiting.set(key, { late, cancel: clock.after(handshakeMs, late) });
      return true;
    },
    leave(key) {
      waiting.get(key)?.cancel();
      waiting.delete(key);
    },
    close() {
      for (const [key, { late }] of waiting) {
        this.leave(key);
        late();
      }
    },
  };
}
