/**
 * Looks into everything that a site sends and is sent: nothing secret leaves it (S10), and whatever it offers is settled with one
 * word (P7).
 *
 * @module
 */
import type { Connection, ConnectionHandler, Dialer } from '../../src/transport/connection';
import type { SimNetwork } from '../support/sim/network';
import type { Plan } from './plan';
import { canary } from './toy-site';

/** Answers of one connection to one task. */
interface Offer {
  readonly round: number;
  times: number;
  answered: number;
  /** Since it was offered the last time. */
  isSettled: boolean;
}

export interface Watched {
  readonly plan: Plan;
  readonly violations: string[];
  /** A site says that it has an answer. */
  offered(site: string, task: string, answer: { readonly round: number; readonly sha256: string }): void;
}

/** The same network, seen by a witness. */
export function watchedNetwork(network: SimNetwork, watch: Watched): SimNetwork {
  return {
    ...network,
    dialer(process, identity) {
      const dialer = network.dialer(process, identity);
      return identity.name === watch.plan.hostile ? dialer : watched(dialer, identity.name, watch);
    },
  };
}

function watched(dialer: Dialer, site: string, watch: Watched): Dialer {
  const { plan, violations } = watch;
  // Where bits change on the way, what arrives says nothing of what was meant; and what is lost is noticed a little later.
  const isExact = !plan.faults.some(({ kind }) => kind === 'bad-link');
  return {
    dial: (handler, signal) =>
      dialer.dial((connection) => {
        const session = createSession(site, watch);
        const inner = handler(sending(connection, site, session, violations));
        return isExact ? receiving(inner, session) : inner;
      }, signal),
  };
}

interface Session {
  sent(message: WireMessage): void;
  received(message: WireMessage, number: number): void;
}

interface WireMessage {
  readonly type: string;
  readonly task?: string;
  readonly round?: number;
  readonly outcome?: string;
  readonly blob?: { readonly sha256: string };
  readonly reason?: string;
  readonly jobs?: readonly { readonly answers: readonly WireAnswer[] }[];
}

interface WireAnswer {
  readonly task: string;
  readonly round: number;
  readonly blob: { readonly sha256: string };
}

function createSession(site: string, { violations, offered }: Watched): Session {
  const violated = (violation: string) => void violations.push(violation);
  const offers = new Map<string, Offer>();
  let last = 0;

  function offer({ task, round, blob }: WireAnswer): void {
    offered(site, task, { round, sha256: blob.sha256 });
    const { times, answered } = offers.get(task) ?? { times: 0, answered: 0 };
    offers.set(task, { round, times: times + 1, answered, isSettled: false });
  }

  return {
    sent(message) {
      if (message.type === 'answer') offer(message as WireAnswer);
      for (const { answers } of message.jobs ?? []) for (const answer of answers) offer(answer);
    },
    received({ type, task, round, outcome, reason }, number) {
      if (number <= last) return; // Another copy of the same frame.
      last = number;
      const known = offers.get(task ?? '');
      if (type === 'close-task' && known) known.isSettled = true;
      // The job was taken up anew: what was under way is not known there any more.
      if (type === 'job') for (const one of offers.values()) one.isSettled = true;
      if (type === 'answered') {
        if (!known || known.answered === known.times)
          violated(`P7: ${site} is told '${outcome}' of an answer that it did not offer, or was told of before.`);
        else Object.assign(known, { answered: known.answered + 1, isSettled: true });
        if (outcome === 'rejected') violated(`P7: the answer of ${site}, which is sound, is refused: ${reason}`);
      }
      if (type !== 'task') return;
      for (const one of offers.values()) {
        if (one.isSettled || one.round >= round! - 1) continue;
        one.isSettled = true;
        violated(`P7: ${site} was not told what became of its answer in round ${one.round}, and is in round ${round}.`);
      }
    },
  };
}

function sending(connection: Connection, site: string, session: Session, violations: string[]): Connection {
  const secret = Buffer.from(canary);
  return {
    get peer() {
      return connection.peer;
    },
    get bufferedBytes() {
      return connection.bufferedBytes;
    },
    pause: () => connection.pause(),
    resume: () => connection.resume(),
    close: (reason) => connection.close(reason),
    send(parts) {
      if (parts.some((part) => bufferOf(part).includes(secret))) {
        violations.push(`S10: ${site} sends what must not leave it.`);
      }
      const frame = read(parts[0]!);
      if (frame) session.sent(frame.message);
      connection.send(parts);
    },
  };
}

function receiving(handler: ConnectionHandler, session: Session): ConnectionHandler {
  return {
    message(bytes) {
      const frame = read(bytes);
      if (frame) session.received(frame.message, frame.number);
      handler.message(bytes);
    },
    closed: (reason) => handler.closed(reason),
  };
}

function read(bytes: Uint8Array): { readonly number: number; readonly message: WireMessage } | undefined {
  const frame = bufferOf(bytes);
  const header = frame.toString('utf8', 8, 8 + frame.readUInt32LE(0));
  if (!/^.{0,12}"(answer|answered|close-task|task|job|hello)"/.test(header)) return undefined;
  return { number: frame.readUInt32LE(4), message: JSON.parse(header) as WireMessage };
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
