/**
 * Whether both ends of a connection are alive. Looks several times within each time-out, so that a moment in which this
 * process itself could not run (a long computation, a stopped process, a machine asleep) counts as one look, and the other
 * end is not blamed for it.
 *
 * @module
 */
import type { Clock } from '../util/clock';
import type { CloseReason } from './connection';

export interface PulseTimes {
  /** Something is sent at least this often. */
  readonly heartbeatMs: number;
  /** An end that was not heard for so long, or took nothing for so long, is given up. */
  readonly deadMs: number;
}

/** How things stand at a moment. */
export interface Vitals {
  /** Bytes that wait here for the other end to take them, and that it took so far. */
  readonly bufferedBytes: number;
  readonly takenBytes: number;
  /** Acknowledgements so far: they too show that the other end takes what it is sent, however coarsely buffers count. */
  readonly acknowledgements: number;
  /** Chunks that came so far, and whether the other end owes one. */
  readonly chunks: number;
  readonly owed: boolean;
  /** Whether nothing is read from the connection, on purpose. */
  readonly paused: boolean;
}

export interface PulsePort {
  /** Name of the other end, for messages. */
  readonly peer: string;
  readonly clock: Clock;
  vitals(): Vitals;
  beat(): void;
  dead(reason: CloseReason): void;
  /** With every look at a living connection. */
  look(): void;
}

export interface Pulse {
  /** Something came. */
  heard(): void;
  /** Something was sent. */
  said(): void;
  setTimes(times: PulseTimes): void;
  stop(): void;
}

/** Looks within the shorter of both times. */
const looksPerHeartbeat = 4;
const looksPerDeath = 16;

export function startPulse(port: PulsePort, times: PulseTimes): Pulse {
  const { clock, peer } = port;
  let { heartbeatMs, deadMs } = times;
  let lookedAt = clock.monotonicMs();
  let before = port.vitals();
  /** Milliseconds without anything sent. */
  let quietMs = 0;
  /** Milliseconds for which this process ran, and nothing came; nothing was taken; nothing came that is owed. */
  let silentMs = 0;
  let stuckMs = 0;
  let starvedMs = 0;
  let cancel = clock.after(interval(), look);

  function interval(): number {
    return Math.min(heartbeatMs / looksPerHeartbeat, deadMs / looksPerDeath);
  }

  function look(): void {
    const now = clock.monotonicMs();
    const passedMs = now - lookedAt;
    lookedAt = now;
    cancel = clock.after(interval(), look);
    quietMs += passedMs;
    count(Math.min(passedMs, 2 * interval()));
    const reason = complaint();
    if (reason !== undefined) {
      port.dead(reason);
      return;
    }
    port.look();
    if (quietMs >= heartbeatMs - interval() / 2) port.beat();
  }

  function count(awakeMs: number): void {
    const now = port.vitals();
    const took = now.takenBytes > before.takenBytes || now.acknowledgements > before.acknowledgements;
    stuckMs = now.bufferedBytes === 0 || took ? 0 : stuckMs + awakeMs;
    starvedMs = !now.owed || now.chunks > before.chunks ? 0 : starvedMs + awakeMs;
    silentMs += now.paused ? 0 : awakeMs;
    before = now;
  }

  function complaint(): CloseReason | undefined {
    const long = `for ${deadMs / 1000} s`;
    if (silentMs >= deadMs) return { code: 'silent', message: `Nothing came from '${peer}' ${long}.`, hint };
    if (stuckMs >= deadMs)
      return { code: 'too-slow', message: `'${peer}' took nothing of what it is sent ${long}.`, hint };
    if (starvedMs < deadMs) return undefined;
    return { code: 'too-slow', message: `'${peer}' sent nothing of a blob that it was asked for ${long}.`, hint };
  }

  return {
    heard() {
      silentMs = 0;
    },
    said() {
      quietMs = 0;
    },
    setTimes(changed) {
      ({ heartbeatMs, deadMs } = changed);
      cancel();
      cancel = clock.after(interval(), look);
    },
    stop: () => cancel(),
  };
}

const hint = 'Is the network between both down, or the process there stopped? A new connection is made by itself.';
