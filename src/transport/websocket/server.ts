/**
 * The server's end of the real connections: TLS 1.3 with certificates on both sides, websockets above it. Whoever may not
 * connect is told why, in one line with the next step, before there is a websocket; and so is the server's log.
 *
 * @module
 */
import type { IncomingMessage } from 'node:http';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { WebSocket } from 'ws';
import { ConnectError } from '../../errors';
import { protocolVersion } from '../../protocol/wire/messages';
import { type Clock, nodeClock } from '../../util/clock';
import type { CloseReason, Connection, ConnectionHandler, Identity } from '../connection';
import { certificateFault } from './certificate-fault';
import { socketOptions, websocketConnection } from './connection';
import { frontDoor } from './front-door';
import type { GateLimits } from './gate';
import { dateFault, identityIn, isForClients } from './identity';
import { newestWin } from './newest-win';
import { protocolHeader } from './protocol-header';

/** A certificate, its key, and the certificate of the project's authority, PEM. */
export interface Credentials {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

export interface ServerLimits extends GateLimits {
  /** Connections that one site, or one user, may have at one time; the newest win. */
  readonly perSite: number;
  readonly perUser: number;
  /** All connections. */
  readonly connections: number;
}

const usualLimits: ServerLimits = {
  unauthenticated: 50,
  handshakesPerSecond: 20,
  handshakeMs: 10_000,
  perSite: 2,
  perUser: 8,
  connections: 4096,
};

/** Somebody who was not let in. */
export interface Refused {
  readonly address: string;
  /** As far as the certificate says, and it is one of the project. */
  readonly identity?: Identity;
  readonly reason: CloseReason;
}

export interface WebsocketServerOptions {
  /** Address to listen at. Default: all of this machine. */
  readonly host?: string;
  /** 0 takes any that is free. */
  readonly port: number;
  readonly credentials: Credentials;
  readonly clock?: Clock;
  readonly limits?: Partial<ServerLimits>;
  /** Versions of the protocol, for who only looks; everybody else says hello. @default that of this software */
  readonly speaks?: readonly number[];
  /** Whether the roster knows this identity, and its certificate. Asked before there is a websocket. */
  admit(identity: Identity): true | CloseReason;
  /** A connection is there. What must come first on it, and when, is the channel's business. */
  accept(connection: Connection): ConnectionHandler;
  refused(refused: Refused): void;
}

export interface WebsocketServer {
  readonly port: number;
  readonly stats: {
    readonly connections: number;
    /** Sockets that have not proven yet who they are. */
    readonly unauthenticated: number;
    /** Sockets that were closed at once, because there were too many. */
    readonly turnedAway: number;
    readonly refused: number;
  };
  /** Takes no new connections, and ends those that are open. Resolves when all are closed. */
  close(reason: CloseReason): Promise<void>;
}

/** Listens. @throws ConnectError when the port or the address cannot be had. */
export async function websocketServer(options: WebsocketServerOptions): Promise<WebsocketServer> {
  const { credentials, host, port, clock = nodeClock } = options;
  const limits = { ...usualLimits, ...options.limits };
  const server = secureServer(credentials, limits);
  const door = frontDoor(server, clock, limits, (address, reason) => refuse({ address, reason }));
  const open = newestWin(({ role }) => (role === 'site' ? limits.perSite : limits.perUser));
  const upgrade = upgrader(clock, options.speaks ?? [protocolVersion]);
  let refusals = 0;

  function refuse(refused: Refused): void {
    refusals++;
    options.refused(refused);
  }

  server.on('request', (request, response) => {
    door.spoke(request.socket);
    response.writeHead(404, { connection: 'close' }).end();
  });
  server.on('upgrade', (request: IncomingMessage, stream, head: Buffer) => {
    const socket = stream as TLSSocket;
    door.spoke(socket);
    const address = socket.remoteAddress ?? 'unknown';
    const found = whoIs(socket, clock.wallMs());
    if ('code' in found) {
      refuse({ address, reason: found });
      tell(socket, found);
      return;
    }
    const verdict = options.admit(found);
    if (verdict === true) {
      upgrade(request, socket, head, (websocket) => accept(websocket, socket, found));
      return;
    }
    refuse({ address, identity: found, reason: verdict });
    tell(socket, verdict);
  });

  function accept(websocket: WebSocket, socket: TLSSocket, identity: Identity): void {
    door.leave(socket);
    const connection = websocketConnection(websocket, identity, (one) => options.accept(one));
    open.add(connection);
    websocket.on('close', () => open.remove(connection));
  }

  await listening(server, host, port);
  return {
    port: (server.address() as AddressInfo).port,
    get stats() {
      const { waiting, turnedAway } = door;
      return { connections: open.size, unauthenticated: waiting, turnedAway, refused: refusals };
    },
    async close(reason) {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const connection of open.all()) connection.close(reason);
      door.close();
      await closed;
    },
  };
}

/** Takes little time and memory for those who have not proven who they are. */
function secureServer({ cert, key, ca }: Credentials, { handshakeMs, connections }: ServerLimits): Server {
  const server = https().createServer({
    cert,
    key,
    ca,
    minVersion: 'TLSv1.3',
    requestCert: true,
    // Certificates are checked when a websocket is asked for: only then can the other end be told what is wrong with its own.
    rejectUnauthorized: false,
    handshakeTimeout: handshakeMs,
    headersTimeout: handshakeMs,
    requestTimeout: handshakeMs,
    maxHeaderSize: 8192,
  });
  server.maxConnections = connections;
  return server;
}

async function listening(server: Server, host: string | undefined, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    // Later errors are of single sockets that could not be accepted, for want of file descriptors: nobody else is harmed.
    server.on('error', (cause: Error & { code?: string }) => reject(listenError(cause, host, port)));
    server.listen({ host, port }, resolve);
  });
}

function listenError(cause: Error & { code?: string }, host: string | undefined, port: number): ConnectError {
  const [why, hint] = listenFaults[cause.code ?? ''] ?? [cause.message, 'Choose another address or port.'];
  const where = host === undefined ? `port ${port}` : `${host}:${port}`;
  return new ConnectError(`Cannot listen at ${where}: ${why}.`, { cause, hint });
}

const listenFaults: Readonly<Record<string, readonly [why: string, hint: string]>> = {
  EADDRINUSE: ['the port is taken', 'Is a server running already? Stop it, or choose another port.'],
  EACCES: ['this user may not use the port', 'Choose a port above 1023.'],
  EADDRNOTAVAIL: [
    'this machine does not have that address',
    'Choose an address of this machine, or none for all of them.',
  ],
  ENOTFOUND: ['the name is not known', 'Choose an address of this machine, or none for all of them.'],
};

/** Whom the certificate names, or why it names nobody who may dial in. */
function whoIs(socket: TLSSocket, nowMs: number): Identity | CloseReason {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) {
    const hint = 'Connect with a startup kit of this project.';
    return { code: 'not-allowed', message: 'No certificate was shown.', hint };
  }
  if (!socket.authorized) return notAuthorised(String(socket.authorizationError));
  if (!isForClients(certificate)) return notAuthorised('INVALID_PURPOSE');
  // TLS looks at a certificate when it first sees it, and then takes up sessions with it again.
  const fault = dateFault(certificate, nowMs);
  return fault === undefined ? identityIn(certificate) : notAuthorised(fault);
}

function notAuthorised(code: string): CloseReason {
  const { what, hint } = certificateFault(code) ?? {
    what: `was not accepted (${code})`,
    hint: 'Install a new startup kit.',
  };
  return { code: 'not-allowed', message: `The certificate that was shown ${what}.`, hint };
}

/** Answers a request for a websocket with a refusal, and ends the connection. */
function tell(socket: TLSSocket, { code, message, hint }: CloseReason): void {
  const body = Buffer.from(JSON.stringify({ code, message, hint }));
  const head = [
    'HTTP/1.1 403 Forbidden',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'Connection: close',
  ];
  socket.on('error', () => socket.destroy());
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  // An end that does not close is closed by the gate.
  socket.end(body);
}

type Upgrade = (
  request: IncomingMessage,
  socket: TLSSocket,
  head: Buffer,
  open: (websocket: WebSocket) => void,
) => void;

function upgrader(clock: Clock, speaks: readonly number[]): Upgrade {
  const server = new (ws().WebSocketServer)({ noServer: true, clientTracking: false, ...socketOptions });
  // For who only looks whether the clocks and the versions agree, and says no hello, which would take the place of the site.
  server.on('headers', (headers) => {
    headers.push(`Date: ${new Date(clock.wallMs()).toUTCString()}`, `${protocolHeader}: ${speaks.join(', ')}`);
  });
  return (request, socket, head, open) => server.handleUpgrade(request, socket, head, open);
}

function ws(): typeof import('ws') {
  return require('ws');
}

function https(): typeof import('node:https') {
  return require('node:https');
}
