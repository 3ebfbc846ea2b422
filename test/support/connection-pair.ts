/** Connections in memory: what one end sends, the other receives in a later turn of the event loop, in order. */
import { ConnectError } from '../../src/errors';
import type { CloseReason, Connection, ConnectionHandler, Dialer, Identity } from '../../src/transport/connection';

export interface Pair {
  readonly client: Connection;
  /** Ends it without a word of why. */
  cut(): void;
}

type Accept = (connection: Connection) => ConnectionHandler;

/** A dialer to whoever `accept` is at that moment; `undefined` refuses. */
export function memoryDialer(
  self: Identity,
  server: Identity,
  acceptor: () => Accept | undefined,
  pairs?: Set<Pair>,
): Dialer {
  return {
    async dial(handler, signal) {
      signal.throwIfAborted();
      const accept = acceptor();
      if (!accept) throw new ConnectError('The server cannot be reached.');
      const pair = connect(self, server, accept, handler);
      pairs?.add(pair);
      return pair.client;
    },
  };
}

function connect(self: Identity, server: Identity, accept: Accept, handler: Accept): Pair {
  const toServer = pipe();
  const toClient = pipe();
  const client = end(server, toServer, toClient);
  toServer.receive(accept(end(self, toClient, toServer)));
  toClient.receive(handler(client));
  const gone: CloseReason = { code: 'gone', message: 'The connection was reset.' };
  return {
    client,
    cut() {
      toServer.end(gone);
      toClient.end(gone);
    },
  };
}

function end(peer: Identity, out: ReturnType<typeof pipe>, into: ReturnType<typeof pipe>): Connection {
  return {
    peer,
    bufferedBytes: 0,
    send: (parts) => out.send(Buffer.concat(parts)),
    pause: () => into.pause(),
    resume: () => into.resume(),
    close(reason) {
      out.send(reason);
      into.end(reason);
    },
  };
}

/** One direction: messages, and at last a reason. */
function pipe() {
  const queue: (Uint8Array | CloseReason)[] = [];
  let handler: ConnectionHandler | undefined;
  let [paused, ended, planned] = [false, false, false];

  function plan(): void {
    if (planned || paused || ended || queue.length === 0) return;
    planned = true;
    setImmediate(deliver);
  }

  function deliver(): void {
    planned = false;
    while (!paused && !ended && queue.length > 0) {
      const next = queue.shift()!;
      if (next instanceof Uint8Array) handler!.message(next);
      else close(next);
    }
  }

  function close(reason: CloseReason): void {
    if (ended) return;
    ended = true;
    handler!.closed(reason);
  }

  return {
    receive(own: ConnectionHandler) {
      handler = own;
      plan();
    },
    send(item: Uint8Array | CloseReason) {
      queue.push(item);
      plan();
    },
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
      plan();
    },
    end: (reason: CloseReason) => void setImmediate(() => close(reason)),
  };
}
