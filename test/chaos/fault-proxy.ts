/**
 * A TCP proxy in this process that does to connections what networks do.
 *
 * @module
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export type Direction = 'to-server' | 'to-client';

/** How the network behaves. All of it may be changed while connections are open. */
export interface NetworkFaults {
  /** How long a piece takes, milliseconds: `delayMs` plus up to `jitterMs`. Order is kept. */
  delayMs: number;
  jitterMs: number;
  /** In each direction of a connection. */
  bytesPerSecond: number;
  /** Nobody gets a connection. */
  down: boolean;
  /** Nothing gets through in these directions; what was sent meanwhile arrives afterwards. */
  readonly lost: Set<Direction>;
}

export interface FaultProxy {
  readonly port: number;
  readonly faults: NetworkFaults;
  /** Bytes that were carried so far. */
  readonly bytes: Readonly<Record<Direction, number>>;
  readonly connections: number;
  /** Resets all connections; both ends hear of it. */
  cut(): void;
  /** Open connections carry nothing any more, and nobody hears of it. New ones are not touched. */
  halfOpen(): void;
  /** Without any fault from now on. */
  heal(): void;
  /** Resolves once so many bytes more have gone in a direction. */
  carried(direction: Direction, more: number): Promise<void>;
  close(): Promise<void>;
}

export async function faultProxy(targetPort: number): Promise<FaultProxy> {
  const calm = { delayMs: 0, jitterMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY, down: false };
  const faults: NetworkFaults = { ...calm, lost: new Set() };
  const bytes = { 'to-server': 0, 'to-client': 0 };
  const pairs = new Set<Pair>();
  const waiting = new Set<() => void>();
  const count = (direction: Direction, length: number) => {
    bytes[direction] += length;
    for (const look of waiting) look();
  };
  const server = createServer((client) => {
    if (faults.down) client.resetAndDestroy();
    else pairs.add(pairOf(client, connect(targetPort, '127.0.0.1'), { faults, count }, (pair) => pairs.delete(pair)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    faults,
    bytes,
    get connections() {
      return pairs.size;
    },
    cut() {
      for (const pair of pairs) pair.reset();
    },
    halfOpen() {
      for (const pair of pairs) pair.silence();
    },
    heal() {
      Object.assign(faults, calm);
      faults.lost.clear();
    },
    carried(direction, more) {
      const goal = bytes[direction] + more;
      return new Promise((resolve) => {
        const look = () => {
          if (bytes[direction] < goal) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
      });
    },
    async close() {
      for (const pair of pairs) pair.reset();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Wire {
  readonly faults: NetworkFaults;
  count(direction: Direction, length: number): void;
}

interface Pair {
  reset(): void;
  silence(): void;
}

function pairOf(client: Socket, server: Socket, wire: Wire, ended: (pair: Pair) => void): Pair {
  let silent = false;
  const pair: Pair = {
    reset() {
      for (const socket of [client, server]) socket.resetAndDestroy();
    },
    silence() {
      silent = true;
    },
  };
  const isSilent = () => silent;
  carry(client, server, 'to-server', wire, isSilent);
  carry(server, client, 'to-client', wire, isSilent);
  for (const socket of [client, server]) {
    socket.setNoDelay(true);
    socket.on('error', () => {}); // It closes, which the other end hears of.
    socket.on('close', () => {
      ended(pair);
      if (!silent) for (const one of [client, server]) one.destroy();
    });
  }
  return pair;
}

/** How often what cannot pass is tried again, and the most that waits, bytes. */
const retryMs = 20;
const mostQueued = 1 << 18;

function carry(from: Socket, to: Socket, direction: Direction, wire: Wire, isSilent: () => boolean): void {
  const { faults } = wire;
  const queue: { readonly piece: Buffer; readonly dueMs: number }[] = [];
  let queued = 0;
  let freeAtMs = 0;
  let timer: NodeJS.Timeout | undefined;

  from.on('data', (piece: Buffer) => {
    queue.push({ piece, dueMs: performance.now() + faults.delayMs + Math.random() * faults.jitterMs });
    queued += piece.length;
    if (queued > mostQueued) from.pause();
    pump();
  });
  from.on('end', () => pump());
  to.on('drain', () => pump());

  function pump(): void {
    clearTimeout(timer);
    while (queue.length > 0) {
      if (isSilent()) {
        drop();
        return;
      }
      const now = performance.now();
      const waitMs = faults.lost.has(direction) ? retryMs : Math.max(queue[0]!.dueMs, freeAtMs) - now;
      if (waitMs > 0) {
        timer = setTimeout(pump, Math.min(waitMs, 100));
        return;
      }
      if (to.writableNeedDrain) return; // It goes on then.
      pass(queue.shift()!.piece, now);
    }
    if (from.readableEnded && !to.destroyed) to.end();
  }

  function pass(piece: Buffer, now: number): void {
    queued -= piece.length;
    freeAtMs = Math.max(freeAtMs, now) + (piece.length / faults.bytesPerSecond) * 1000;
    if (!to.destroyed) to.write(piece);
    wire.count(direction, piece.length);
    if (queued <= mostQueued && from.isPaused()) from.resume();
  }

  function drop(): void {
    queue.length = 0;
    queued = 0;
    if (from.isPaused()) from.resume();
  }
}
