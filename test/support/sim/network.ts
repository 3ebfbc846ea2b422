/**
 * A network in virtual time between one server and those who dial it, with the faults that networks have. Same seed, same
 * faults: all chance is drawn from the random source that is passed in.
 *
 * A link carries whole messages in order, as TCP and TLS do. What TLS would notice (a message lost, doubled, out of order or
 * changed) happens to whole messages, so that what is built on top is seen to notice it, too.
 *
 * @module
 */
import { ConnectError } from '../../../src/errors';
import type { CloseReason, Connection, ConnectionHandler, Dialer, Identity } from '../../../src/transport/connection';
import type { SimProcess, SimTime } from './clock';

export type Direction = 'to-server' | 'to-client';

/** How a link behaves. All of it may be changed while connections are open. */
export interface LinkFaults {
  /** How long a message takes: `delayMs` plus up to `jitterMs`. Order is kept. */
  delayMs: number;
  jitterMs: number;
  /** Bytes a second in each direction. */
  bytesPerSecond: number;
  /** Nobody gets a connection. */
  down: boolean;
  /** Nothing gets through in these directions while they are here; what was sent meanwhile arrives afterwards. */
  readonly lost: Set<Direction>;
  /** Probabilities for each message. */
  duplicate: number;
  flip: number;
  drop: number;
  reorder: number;
  /** How many messages may overtake one that is held back. */
  reorderWindow: number;
}

export interface Link {
  readonly faults: LinkFaults;
  /** Connections that are open now. */
  readonly connections: number;
  /** Ends all connections at once, both ends hear of it. */
  cut(): void;
  /** Open connections are dead and nobody hears of it. New ones are not touched. */
  halfOpen(): void;
  /** Drops the next message in a direction that `picks` chooses. */
  dropNext(direction: Direction, picks?: (bytes: Uint8Array) => boolean): void;
  /** Without any fault from now on; connections that were silenced stay dead. */
  heal(): void;
}

export interface SimNetwork {
  /** Who takes connections. They end with the process. */
  listen(server: SimProcess, identity: Identity, accept: (connection: Connection) => ConnectionHandler): void;
  dialer(client: SimProcess, identity: Identity): Dialer;
  /** The link of a client by its name. */
  link(name: string): Link;
}

/** Bytes that the systems of both ends take before a sender notices that nobody reads. */
const systemBytes = 1 << 20;

interface Listener {
  readonly process: SimProcess;
  readonly identity: Identity;
  readonly accept: (connection: Connection) => ConnectionHandler;
}

/** @param random uniform in [0, 1) */
export function simNetwork(time: SimTime, random: () => number): SimNetwork {
  const links = new Map<string, SimLink>();
  let listener: Listener | undefined;

  function link(name: string): SimLink {
    const found = links.get(name) ?? simLink();
    links.set(name, found);
    return found;
  }

  return {
    link,
    listen(process, identity, accept) {
      const own = { process, identity, accept };
      listener = own;
      process.ended(() => {
        if (listener === own) listener = undefined;
      });
    },
    dialer: (client, identity) => ({
      async dial(handler, signal) {
        const { faults, open } = link(identity.name);
        await soon(time, 2 * (faults.delayMs + random() * faults.jitterMs), signal);
        const server = listener;
        if (faults.down || faults.lost.size > 0) throw new ConnectError('The server cannot be reached.');
        if (server === undefined) throw new ConnectError('The server refuses connections: is it running?');
        await answered(time, server.process, signal);
        return open(connect({ time, random, faults }, { process: client, identity, handler }, server));
      },
    }),
  };
}

/** Longest that a dialling process waits for an answer. */
const handshakeMs = 10_000;

/** Waits until the server runs. */
async function answered(time: SimTime, server: SimProcess, signal: AbortSignal): Promise<void> {
  const runs = new Promise<void>((resolve) => server.deliver(resolve));
  const over = new AbortController();
  const both = AbortSignal.any([signal, over.signal]);
  const tooLong = soon(time, handshakeMs, both).then(() => {
    throw new ConnectError(`The server does not answer within ${handshakeMs / 1000} s.`);
  });
  await Promise.race([runs, tooLong]).finally(() => {
    tooLong.catch(() => {}); // Nobody waits for it any more.
    over.abort();
  });
}

function soon(time: SimTime, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const stop = () => {
      cancel();
      reject(signal.reason);
    };
    const cancel = time.at(time.nowMs + ms, () => {
      signal.removeEventListener('abort', stop);
      resolve();
    });
    signal.addEventListener('abort', stop, { once: true });
  });
}

interface SimLink extends Link {
  open(pair: Pair): Connection;
}

function simLink(): SimLink {
  const pairs = new Set<Pair>();
  const calm = { delayMs: 1, jitterMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY, down: false };
  const faults: LinkFaults = {
    ...calm,
    lost: new Set(),
    duplicate: 0,
    flip: 0,
    drop: 0,
    reorder: 0,
    reorderWindow: 8,
  };
  return {
    faults,
    get connections() {
      return pairs.size;
    },
    open(pair) {
      pairs.add(pair);
      pair.ended(() => pairs.delete(pair));
      return pair.client;
    },
    cut() {
      for (const pair of pairs) pair.cut();
    },
    halfOpen() {
      for (const pair of pairs) pair.silence();
    },
    dropNext(direction, picks = () => true) {
      for (const pair of pairs) pair.dropNext(direction, picks);
    },
    heal() {
      Object.assign(faults, calm, { duplicate: 0, flip: 0, drop: 0, reorder: 0 });
      faults.lost.clear();
    },
  };
}

interface Wire {
  readonly time: SimTime;
  readonly random: () => number;
  readonly faults: LinkFaults;
}

interface Caller {
  readonly process: SimProcess;
  readonly identity: Identity;
  readonly handler: (connection: Connection) => ConnectionHandler;
}

/** Both ends of a connection. */
interface Pair {
  readonly client: Connection;
  cut(): void;
  silence(): void;
  dropNext(direction: Direction, picks: (bytes: Uint8Array) => boolean): void;
  ended(hear: () => void): void;
}

function connect(wire: Wire, caller: Caller, server: Listener): Pair {
  const hearers: (() => void)[] = [];
  let open = 2;
  const closed = () => {
    if (--open === 0) for (const hear of hearers) hear();
  };
  const toServer = pipe(wire, 'to-server', server.process, closed);
  const toClient = pipe(wire, 'to-client', caller.process, closed);
  const client = connectionEnd(server.identity, toServer, toClient);
  const accepted = connectionEnd(caller.identity, toClient, toServer);
  toServer.receive(server.accept(accepted));
  toClient.receive(caller.handler(client));
  whenKilled(server.process, toServer, toClient);
  whenKilled(caller.process, toClient, toServer);
  return {
    client,
    cut() {
      toServer.close(reset);
      toClient.close(reset);
    },
    silence() {
      toServer.silence();
      toClient.silence();
    },
    dropNext: (direction, picks) => (direction === 'to-server' ? toServer : toClient).dropNext(picks),
    ended: (hear) => void hearers.push(hear),
  };
}

/** The system closes the connections of a process that is killed. */
function whenKilled(process: SimProcess, inbound: Pipe, outbound: Pipe): void {
  process.ended(() => {
    outbound.finish(reset);
    inbound.abandon();
  });
}

const reset: CloseReason = { code: 'gone', message: 'The connection was reset.' };

function connectionEnd(peer: Identity, outbound: Pipe, inbound: Pipe): Connection {
  return {
    peer,
    send: outbound.send,
    get bufferedBytes() {
      return outbound.bufferedBytes;
    },
    pause: inbound.pause,
    resume: inbound.resume,
    close(reason) {
      outbound.finish(reason);
      inbound.close(reason);
    },
  };
}

/** One direction of a connection. */
interface Pipe {
  send(parts: readonly Uint8Array[]): void;
  readonly bufferedBytes: number;
  receive(handler: ConnectionHandler): void;
  pause(): void;
  resume(): void;
  /** The sender closes: the receiver hears of it after what was sent before. */
  finish(reason: CloseReason): void;
  /** The receiver closes, or is cut off: it hears of it, and takes nothing any more. */
  close(reason: CloseReason): void;
  /** The receiver is no more. */
  abandon(): void;
  silence(): void;
  dropNext(picks: (bytes: Uint8Array) => boolean): void;
}

function pipe({ time, random, faults }: Wire, direction: Direction, receiver: SimProcess, closed: () => void): Pipe {
  let handler: ConnectionHandler | undefined;
  let [finished, ended, silent, paused] = [false, false, false, false];
  /** Bytes that were sent and that the receiver has not read. */
  let underWay = 0;
  let sentAtMs = 0;
  let arrivesAtMs = 0;
  let dropped: ((bytes: Uint8Array) => boolean) | undefined;
  /** Messages held back, and how many may still overtake each. */
  let late: { readonly bytes: Uint8Array; overtakers: number }[] = [];
  /** What the network cannot carry just now, and what the receiver has not read. */
  const stalled: (() => void)[] = [];
  const inbox: (() => void)[] = [];

  function send(parts: readonly Uint8Array[]): void {
    if (finished || ended) return;
    const bytes = Buffer.concat(parts);
    sentAtMs = Math.max(sentAtMs, time.nowMs) + (bytes.length / faults.bytesPerSecond) * 1000;
    if (isDropped(bytes)) return;
    if (random() < faults.reorder) {
      late.push({ bytes, overtakers: 1 + Math.floor(random() * faults.reorderWindow) });
      return;
    }
    transmit(bytes);
    if (random() < faults.duplicate) transmit(bytes);
    for (const one of late) if (--one.overtakers === 0) transmit(one.bytes);
    late = late.filter(({ overtakers }) => overtakers > 0);
  }

  function isDropped(bytes: Uint8Array): boolean {
    if (!dropped?.(bytes)) return random() < faults.drop;
    dropped = undefined;
    return true;
  }

  function transmit(bytes: Uint8Array): void {
    const changed = random() < faults.flip ? flipped(bytes, random) : bytes;
    underWay += bytes.length;
    afterAllBefore(() => {
      underWay -= bytes.length;
      handler!.message(changed);
    });
  }

  /** Plans what happens at the receiver once all that was sent before has happened. */
  function afterAllBefore(act: () => void): void {
    const earliestMs = Math.max(sentAtMs, time.nowMs) + faults.delayMs + random() * faults.jitterMs;
    arrivesAtMs = Math.max(arrivesAtMs, earliestMs);
    time.at(arrivesAtMs, () => {
      stalled.push(act);
      if (stalled.length === 1) carry();
    });
  }

  /** Brings what arrived to the receiver, and while the network loses everything tries again, as TCP does. */
  function carry(): void {
    if (ended || silent) stalled.length = 0;
    else if (faults.lost.has(direction)) time.at(time.nowMs + retransmitMs, carry);
    else for (const act of stalled.splice(0)) putIn(act);
  }

  function putIn(act: () => void): void {
    inbox.push(act);
    receiver.deliver(readOne);
  }

  function readOne(): void {
    if (!paused && !ended) inbox.shift()?.();
  }

  function end(reason: CloseReason): void {
    if (ended) return;
    abandon();
    handler!.closed(reason);
  }

  function abandon(): void {
    if (ended) return;
    ended = true;
    inbox.length = 0;
    closed();
  }

  return {
    send,
    get bufferedBytes() {
      return finished || ended ? 0 : Math.max(0, underWay - systemBytes);
    },
    receive(own) {
      handler = own;
    },
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
      for (const _ of inbox) receiver.deliver(readOne);
    },
    finish(reason) {
      if (finished) return;
      finished = true;
      afterAllBefore(() => end(reason));
    },
    close: (reason) => receiver.deliver(() => end(reason)),
    abandon,
    silence() {
      silent = true;
    },
    dropNext(picks) {
      dropped = picks;
    },
  };
}

/** How long TCP waits before it sends again what was lost; the real one waits longer each time. */
const retransmitMs = 200;

/**
 * One wrong bit, the highest of a byte: TLS lets no header through that says something else, so that here a header which was
 * changed is no text any more.
 */
function flipped(bytes: Uint8Array, random: () => number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[Math.floor(random() * copy.length)]! ^= 0x80;
  return copy;
}
