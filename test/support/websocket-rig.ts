/**
 * A real server, and sites, on this machine, for tests of connections.
 *
 * @module
 */
import { once } from 'node:events';
import { type Socket, connect as tcpConnect } from 'node:net';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import { afterEach, beforeAll, expect } from 'vitest';
import { isConsiliumError } from '../../src/errors';
import type { CloseReason, Connection } from '../../src/transport/connection';
import { websocketDialer } from '../../src/transport/websocket/client';
import {
  type Refused,
  type WebsocketServer,
  type WebsocketServerOptions,
  websocketServer,
} from '../../src/transport/websocket/server';
import { type Authority, authority, issueServer } from './certificates';

const never = new AbortController().signal;
export const stopping: CloseReason = { code: 'stopping', message: 'The test is over.' };

export interface Kit {
  readonly cert: string;
  readonly key: string;
}

/** Certificates, made before the first test of a file. */
export const kits = {} as { project: Authority; stranger: Authority; server: Kit; site: Kit };
const cleanUp: (() => unknown)[] = [];

/** What is to be undone after the test. */
export function afterTest(clean: () => unknown): void {
  cleanUp.push(clean);
}

beforeAll(async () => {
  kits.project = await authority();
  kits.stranger = await authority();
  kits.server = await issueServer(kits.project);
  kits.site = await kits.project.issue({});
});

afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

/** A server that sends back what it gets, and all that happened at it. */
export interface Rig {
  readonly server: WebsocketServer;
  readonly address: string;
  readonly accepted: Connection[];
  readonly closed: CloseReason[];
  readonly refused: Refused[];
}

export async function rig(options: Partial<WebsocketServerOptions> = {}): Promise<Rig> {
  const lists = { accepted: [] as Connection[], closed: [] as CloseReason[], refused: [] as Refused[] };
  const server = await websocketServer({
    host: '127.0.0.1',
    port: 0,
    credentials: { ...kits.server, ca: kits.project.ca },
    limits: { handshakesPerSecond: 10_000 },
    admit: () => true,
    accept(connection) {
      lists.accepted.push(connection);
      return { message: (bytes) => connection.send([bytes]), closed: (reason) => lists.closed.push(reason) };
    },
    refused: (refused) => lists.refused.push(refused),
    ...options,
  });
  afterTest(() => server.close(stopping));
  return { server, address: `wss://127.0.0.1:${server.port}`, ...lists };
}

/** The site's end of a connection, and all that it heard. */
export interface Site {
  readonly connection: Connection;
  readonly heard: Uint8Array[];
  readonly closed: Promise<CloseReason>;
}

export async function dial(address: string, kit = kits.site, ca = kits.project.ca): Promise<Site> {
  const heard: Uint8Array[] = [];
  let end: (reason: CloseReason) => void;
  const closed = new Promise<CloseReason>((resolve) => {
    end = resolve;
  });
  const dialer = websocketDialer({ address, credentials: { ...kit, ca } });
  const handler = { message: (bytes: Uint8Array) => heard.push(bytes), closed: (reason: CloseReason) => end(reason) };
  const connection = await dialer.dial(() => handler, never);
  afterTest(() => connection.close(stopping));
  return { connection, heard, closed };
}

export async function failure(attempt: Promise<unknown>): Promise<{ tag: string; message: string; hint: string }> {
  const error = await attempt.then(
    () => new Error('it was let in'),
    (reason: unknown) => reason,
  );
  if (!isConsiliumError(error)) throw error;
  return { tag: error.tag, message: error.message, hint: error.hint ?? '' };
}

/** Lets sockets do their work until something has happened. */
export async function until(happened: () => boolean): Promise<void> {
  while (!happened()) await new Promise((resolve) => setImmediate(resolve));
}

/** That a site can still connect and talk: what the others did has not harmed it. */
export async function expectUnharmed(address: string): Promise<void> {
  const site = await dial(address);
  site.connection.send([Buffer.from('still '), Buffer.from('there')]);
  await until(() => site.heard.length > 0);
  expect(Buffer.from(site.heard[0]!).toString()).toBe('still there');
}

/** TLS as a site speaks it, and then bytes. */
export async function tlsSocket(port: number, kit: object = kits.site, options: object = {}): Promise<TLSSocket> {
  const socket = tlsConnect({ port, host: '127.0.0.1', ca: kits.project.ca, ...kit, ...options });
  afterTest(() => socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  return socket;
}

export async function tcpSocket(port: number): Promise<Socket> {
  const socket = tcpConnect({ port, host: '127.0.0.1' });
  afterTest(() => socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

export async function textUntilClosed(socket: Socket): Promise<string> {
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => pieces.push(piece));
  await once(socket, 'close');
  return Buffer.concat(pieces).toString('latin1');
}

/** Asks for a websocket by hand. */
export async function upgraded(socket: TLSSocket): Promise<void> {
  const key = Buffer.alloc(16).toString('base64');
  socket.write(
    `GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  );
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1.1 101/);
}

/** A frame of a websocket as a client sends it, masked with zeros. */
export function frame(opcode: number, data: Buffer, { more = false, compressed = false } = {}): Buffer {
  const start = lengthOf(opcode, data.length);
  start[0]! ^= (more ? 0x80 : 0) | (compressed ? 0x40 : 0);
  return Buffer.concat([start, data]);
}

export function lengthOf(opcode: number, length: number): Buffer {
  const mask = Buffer.alloc(4);
  if (length < 126) return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | length]), mask]);
  const long = Buffer.alloc(8);
  long.writeBigUInt64BE(BigInt(length));
  return Buffer.concat([Buffer.from([0x80 | opcode, 0xff]), long, mask]);
}
