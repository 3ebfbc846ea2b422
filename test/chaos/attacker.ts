/**
 * Somebody who means harm, at the door of a real server: raw sockets, raw frames, and a site that speaks the protocol and lies.
 *
 * @module
 */
import { once } from 'node:events';
import { type Socket, connect as tcpConnect } from 'node:net';
import { type ConnectionOptions, type TLSSocket, connect as tlsConnect } from 'node:tls';
import { isConsiliumError } from '../../src/errors';
import { encodeFrame } from '../../src/protocol/wire/frame';
import { type Message, type MessageOf, protocolVersion } from '../../src/protocol/wire/messages';
import { type BlobSource, memorySink } from '../../src/transport/blobs';
import { type Channel, dialChannel } from '../../src/transport/channel';
import type { CloseReason, Connection } from '../../src/transport/connection';
import { websocketDialer } from '../../src/transport/websocket/client';
import { nodeClock } from '../../src/util/clock';
import type { Credentials } from '../support/certificates';

const never = new AbortController().signal;
/** How often the server lets one address try again. */
const betweenTriesMs = 100;

export interface Door {
  readonly port: number;
  readonly ca: string;
}

/** A connection of TLS; tries again while the server has too much to do. */
export async function tlsTo(
  { port, ca }: Door,
  own: Partial<Credentials> & ConnectionOptions = {},
): Promise<TLSSocket> {
  for (;;) {
    const socket = tlsConnect({ port, host: '127.0.0.1', ca, ...own });
    const outcome = await Promise.race([
      once(socket, 'secureConnect').then(() => 'open'),
      once(socket, 'close').then(() => 'closed'),
    ]).catch((error: NodeJS.ErrnoException) => error.code);
    socket.on('error', () => {});
    if (outcome === 'open') return socket;
    socket.destroy();
    if (outcome !== 'ECONNRESET' && outcome !== 'closed') throw new Error(`No TLS: ${outcome}`);
    await new Promise((resolve) => setTimeout(resolve, betweenTriesMs));
  }
}

export async function tcpTo({ port }: Door): Promise<Socket> {
  const socket = tcpConnect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** Asks for a websocket by hand; what the server answers first. */
export async function askForWebsocket(socket: TLSSocket): Promise<string> {
  const key = Buffer.alloc(16).toString('base64');
  const headers = `Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}`;
  socket.write(`GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n${headers}\r\n\r\n`);
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => pieces.push(piece));
  const opened = once(socket, 'data').then(async ([first]) => {
    if (!/^HTTP\/1.1 101/.test(String(first))) await once(socket, 'close');
  });
  await Promise.race([opened, once(socket, 'close')]);
  return Buffer.concat(pieces).toString();
}

/** What came of a connection on which anything can be sent. */
export interface Wire {
  readonly connection: Connection;
  /** Frames that came. */
  readonly heard: Uint8Array[];
  readonly closed: Promise<CloseReason>;
  /** Sends a header as it is, in a frame of this number. */
  header(number: number, header: string | Uint8Array, bytes?: Uint8Array): void;
  say(message: Message, bytes?: Uint8Array): void;
}

/** A connection with the kit of a site, on which nothing was said yet. */
export async function wireTo({ port, ca }: Door, kit: Credentials): Promise<Wire> {
  const heard: Uint8Array[] = [];
  let end: (reason: CloseReason) => void = () => {};
  const closed = new Promise<CloseReason>((resolve) => {
    end = resolve;
  });
  const dialer = websocketDialer({ address: `wss://127.0.0.1:${port}`, credentials: { ...kit, ca } });
  const handler = { message: (bytes: Uint8Array) => void heard.push(bytes), closed: end };
  const connection = await patient(() => dialer.dial(() => handler, never));
  let sent = 0;
  return {
    connection,
    heard,
    closed,
    header(number, header, bytes = new Uint8Array(0)) {
      const text = Buffer.from(header);
      const start = Buffer.alloc(8);
      start.writeUInt32LE(text.length, 0);
      start.writeUInt32LE(number, 4);
      connection.send([start, text, bytes]);
    },
    say: (message, bytes) => connection.send(encodeFrame(++sent, message, bytes ? [bytes] : [])),
  };
}

export const hello: MessageOf<'hello'> = {
  type: 'hello',
  protocols: [protocolVersion],
  software: 'liar',
  boot: '1',
  resources: { slots: 4, memoryMb: 1000, gpus: 0 },
  jobs: [],
};

/** What a lying site offers as its answer. */
export interface Offer {
  readonly blob: BlobSource;
  /** What it says that the answer is, where that is not so. */
  readonly claims?: Partial<Omit<MessageOf<'answer'>, 'type'>>;
}

export interface LyingSite {
  readonly channel: Channel;
  /** What it was told became of its answers, in order. */
  readonly told: readonly MessageOf<'answered'>[];
  close(): void;
}

/** A site that accepts every job, and answers each task with what `lie` makes of it: any number of offers. */
export async function lyingSite(
  { port, ca }: Door,
  kit: Credentials,
  lie: (task: MessageOf<'task'>, model: Uint8Array) => readonly Offer[],
): Promise<LyingSite> {
  const blobs = new Map<string, BlobSource>();
  const told: MessageOf<'answered'>[] = [];
  const dialer = websocketDialer({ address: `wss://127.0.0.1:${port}`, credentials: { ...kit, ca } });
  const channel: Channel = await patient(() =>
    dialChannel(
      dialer,
      {
        clock: nodeClock,
        heartbeatMs: 1000,
        deadMs: 10_000,
        source: (sha256) => blobs.get(sha256),
        unreadable: () => {},
        message(message) {
          if (message.type === 'job')
            channel.send({ type: 'job-answer', job: message.job, verdict: 'accepted', reason: '' });
          else if (message.type === 'answered') told.push(message);
          else if (message.type === 'task') void answer(message).catch(expected);
        },
        closed: () => {},
      },
      never,
    ),
  );
  channel.send(hello);
  return { channel, told, close: () => channel.close({ code: 'gone', message: 'It leaves.' }) };

  async function answer(task: MessageOf<'task'>): Promise<void> {
    const sink = memorySink(1 << 26);
    await channel.fetch(task.model, sink, never);
    for (const { blob, claims } of lie(task, sink.bytes())) {
      const said = { job: task.job, task: task.task, round: task.round, blob: blob.ref, ...claims };
      blobs.set(said.blob.sha256, blob);
      channel.send({ type: 'answer', ...said });
    }
  }
}

/** Ends of connections are what liars have to expect. */
function expected(error: unknown): void {
  if (!isConsiliumError(error)) throw error;
}

/** Tries again while the server has too much to do. */
async function patient<T>(connect: () => Promise<T>): Promise<T> {
  for (let left = 50; ; left--) {
    try {
      return await connect();
    } catch (error) {
      if (left === 0 || !isConsiliumError(error, 'ConnectError') || /HTTP 403|certificate/.test(error.message))
        throw error;
      await new Promise((resolve) => setTimeout(resolve, betweenTriesMs));
    }
  }
}
