/**
 * Sockets before anybody knows who is behind them: how many there may be and how long, and what is said of those that come
 * to nothing.
 *
 * @module
 */
import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import type { Clock } from '../../util/clock';
import type { CloseReason } from '../connection';
import { type GateLimits, gate } from './gate';

export interface FrontDoor {
  /** Sockets that have not proven yet who they are. */
  readonly waiting: number;
  /** Sockets that were closed at once, because there were too many. */
  readonly turnedAway: number;
  /** Something was asked for on the socket: whoever answers it says the rest. */
  spoke(socket: Socket): void;
  /** It has proven who it is. */
  leave(socket: Socket): void;
  /** Ends those who wait. */
  close(): void;
}

/** @param report hears of those who spoke, and came to nothing */
export function frontDoor(
  server: Server,
  clock: Clock,
  limits: GateLimits,
  report: (address: string, reason: CloseReason) => void,
): FrontDoor {
  const entrance = gate(clock, limits);
  /** Addresses of sockets of which nothing was said yet. */
  const unexplained = new Map<string, string>();
  let turnedAway = 0;

  function explain(key: string, reason: CloseReason): void {
    const address = unexplained.get(key);
    if (address === undefined) return;
    unexplained.delete(key);
    report(address, reason);
  }

  server.on('connection', (socket: Socket) => {
    const key = keyOf(socket);
    const late = () => {
      explain(key, tooLate);
      socket.destroy();
    };
    if (!entrance.enter(key, socket.remoteAddress ?? '', late)) {
      turnedAway++;
      socket.destroy();
      return;
    }
    unexplained.set(key, socket.remoteAddress ?? 'unknown');
    socket.on('close', () => {
      entrance.leave(key);
      // Who says nothing only looks whether the port is open.
      if (socket.bytesRead > 0) explain(key, leftEarly);
      unexplained.delete(key);
    });
  });
  // Errors of TLS come here, too.
  server.on('clientError', (error: Error & { code?: string }, socket) => {
    const reason = clientFault(error.code ?? '');
    if (reason !== undefined) explain(keyOf(socket as Socket), reason);
    socket.destroy();
  });

  return {
    get waiting() {
      return entrance.waiting;
    },
    get turnedAway() {
      return turnedAway;
    },
    spoke: (socket) => void unexplained.delete(keyOf(socket)),
    leave: (socket) => entrance.leave(keyOf(socket)),
    close: () => entrance.close(),
  };
}

/** Addresses and ports of both ends: no two sockets have the same while they are open. */
function keyOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress}:${remotePort}>${localAddress}:${localPort}`;
}

const tooLate: CloseReason = {
  code: 'gone',
  message: 'The other end did not say in time who it is.',
  hint: 'Is its network very slow, or is it no site at all?',
};

const leftEarly: CloseReason = {
  code: 'gone',
  message: "The other end left during the TLS handshake, as one does that did not accept this server's certificate.",
  hint: 'Its own log says why: another project, an address that the certificate does not name, or a wrong clock.',
};

/** Why nothing could be answered: the other end speaks no language in which it could be told. `undefined` for one that left. */
function clientFault(code: string): CloseReason | undefined {
  if (code === 'ECONNRESET' || code === 'EPIPE') return undefined;
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT' || code === 'ERR_HTTP_REQUEST_TIMEOUT') return tooLate;
  const what = code.startsWith('HPE_')
    ? 'What was asked for is not HTTP, or too long'
    : 'What was sent is not TLS, or broken';
  const message = clientFaults[code] ?? `${what} (${code}).`;
  return { code: 'protocol', message, hint: 'Sites and users connect with wss:// and their startup kit.' };
}

const clientFaults: Readonly<Record<string, string>> = {
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'TLS 1.2 or older was spoken; TLS 1.3 is needed.',
  ERR_SSL_HTTP_REQUEST: 'HTTP without TLS was spoken.',
};
