/**
 * How a site or a user dials the server: TLS 1.3 with certificates on both sides, a websocket above it. Whatever stands in
 * the way is said in one line, with the next step.
 *
 * @module
 */
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { ClientOptions, WebSocket } from 'ws';
import { ConfigError } from '../../errors';
import type { Connection, ConnectionHandler, Dialer, Identity } from '../connection';
import { socketOptions, websocketConnection } from './connection';
import { dialError, httpError, wrongServer } from './dial-error';
import { identityIn } from './identity';
import { protocolHeader, protocolsIn } from './protocol-header';
import type { Credentials } from './server';

export interface WebsocketDialerOptions {
  /** Where the server is: `wss://host:port`. */
  readonly address: string;
  readonly credentials: Credentials;
  /** How long it may take to connect, milliseconds. Default: 10 s. */
  readonly handshakeMs?: number;
  /** Told the server's clock when it takes the connection, milliseconds since 1970, right to half a second. */
  readonly heardTime?: (serverMs: number) => void;
  /** Told which versions of the protocol the server speaks when it takes the connection. */
  readonly heardProtocols?: (protocols: readonly number[]) => void;
}

/** Largest answer of a server that refuses, bytes. */
const longestAnswer = 16384;

/** @throws ConfigError for an address of another kind. */
export function websocketDialer({
  address,
  credentials,
  handshakeMs = 10_000,
  heardTime = () => {},
  heardProtocols = () => {},
}: WebsocketDialerOptions): Dialer {
  checkAddress(address);
  const options: ClientOptions = {
    ...credentials,
    ...socketOptions,
    minVersion: 'TLSv1.3',
    handshakeTimeout: handshakeMs,
    // Masks keep browsers from talking to old proxies in a roundabout way. Inside TLS they only cost time.
    generateMask: () => {},
  };
  return {
    async dial(handler, signal) {
      signal.throwIfAborted();
      const socket = newSocket(address, options);
      const abort = () => socket.terminate();
      signal.addEventListener('abort', abort, { once: true });
      try {
        return await opened(socket, address, { handler, heardTime, heardProtocols });
      } catch (error) {
        signal.throwIfAborted();
        throw error;
      } finally {
        signal.removeEventListener('abort', abort);
      }
    },
  };
}

function checkAddress(address: string): void {
  if (URL.canParse(address) && new URL(address).protocol === 'wss:') return;
  throw new ConfigError(
    `The address of a server was to look like wss://host:port, and is '${address.slice(0, 200)}'.`,
    {
      hint: 'Correct the address in the startup kit.',
    },
  );
}

function newSocket(address: string, options: ClientOptions): WebSocket {
  try {
    return new (ws().WebSocket)(address, options);
  } catch (cause) {
    throw dialError(cause as Error, address);
  }
}

interface Opening {
  readonly handler: (connection: Connection) => ConnectionHandler;
  readonly heardTime: (serverMs: number) => void;
  readonly heardProtocols: (protocols: readonly number[]) => void;
}

function opened(
  socket: WebSocket,
  address: string,
  { handler, heardTime, heardProtocols }: Opening,
): Promise<Connection> {
  return new Promise((resolve, reject) => {
    let server: Identity | undefined;
    socket.on('upgrade', (response: IncomingMessage) => {
      const certificate = (response.socket as TLSSocket).getPeerX509Certificate();
      const found = certificate && identityIn(certificate);
      if (found !== undefined && !('code' in found) && found.role === 'server') server = found;
      if (server === undefined) return;
      // HTTP says the second that has begun.
      const second = Date.parse(response.headers.date ?? '');
      if (!Number.isNaN(second)) heardTime(second + 500);
      const protocols = protocolsIn(response.headers[protocolHeader.toLowerCase()]);
      if (protocols) heardProtocols(protocols);
    });
    socket.on('open', () => {
      if (server === undefined) {
        socket.terminate();
        reject(wrongServer(address));
        return;
      }
      socket.off('error', fail);
      resolve(websocketConnection(socket, server, handler));
    });
    socket.on('unexpected-response', (_, response) => {
      readAnswer(response)
        .then((body) => reject(httpError(address, response.statusCode ?? 0, body)), fail)
        .finally(() => socket.terminate());
    });
    socket.on('error', fail);

    function fail(error: Error): void {
      reject(dialError(error, address));
    }
  });
}

async function readAnswer(response: IncomingMessage): Promise<string> {
  let body = '';
  for await (const piece of response.setEncoding('utf8')) {
    body += piece;
    if (body.length > longestAnswer) break;
  }
  return body;
}

function ws(): typeof import('ws') {
  return require('ws');
}
