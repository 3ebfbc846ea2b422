/**
 * What connections cost, on this machine's loopback with TLS 1.3 and certificates on both sides. The clients are a process of
 * their own, so that processor time and memory are those of the server.
 *
 * `exchange`: a server and four clients; each fetches a model of 18.8 MB and the server fetches as much from each, into files
 * that it flushes, checksums and hashes included. Beside it, in turns, websockets that carry the same bytes as one message each
 * way and do nothing with them.
 * `idle`: a thousand clients that say nothing but that they are alive, every 10 s.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type WebSocket, WebSocketServer } from 'ws';
import { blobRef } from '../../src/protocol/wire/messages';
import { type BlobSource, memoryBlob } from '../../src/transport/blobs';
import { type Channel, type ChannelMessage, openChannel } from '../../src/transport/channel';
import { fileSink } from '../../src/transport/file-sink';
import { type Credentials, websocketServer } from '../../src/transport/websocket/server';
import { nodeClock } from '../../src/util/clock';
import { nodeDisk } from '../../src/util/node-disk';
import { authority, issueServer } from '../../test/support/certificates';
import { inTemporaryFolder, median } from '../measure';
import type { ClientOrder } from './client-order';

const clients = 4;
const modelBytes = 18_808_908;
const turns = 5;
const exchangesInATurn = 4;
const idleConnections = 1000;
const idleSeconds = 30;
const never = new AbortController().signal;

interface Kits {
  readonly server: Credentials;
  readonly clients: readonly Credentials[];
}

export async function wire(): Promise<unknown> {
  const kits = await newKits();
  // Idle first: what memory the others took and freed would hide what connections take.
  return { idle: await idle(kits), exchange: await exchange(kits) };
}

/** MB a second of bare websockets, for other benchmarks to compare with in the same run. */
export async function bareSpeed(): Promise<number> {
  const carrier = await bareCarrier(await newKits());
  try {
    await carrier.exchange();
    return await megabytesPerSecond(carrier);
  } finally {
    await carrier.close();
  }
}

async function newKits(): Promise<Kits> {
  const project = await authority();
  const { ca } = project;
  const names = Array.from({ length: clients }, (_, i) => `site-${i + 1}`);
  const sites = await Promise.all(names.map(async (name) => ({ ...(await project.issue({ names: [name] })), ca })));
  return { server: { ...(await issueServer(project)), ca }, clients: sites };
}

/** Something that can carry a model to all clients and an update from each, again and again. */
interface Carrier {
  exchange(): Promise<void>;
  close(): Promise<void>;
}

async function exchange(kits: Kits): Promise<unknown> {
  return inTemporaryFolder(async (folder) => {
    const [ours, bare] = [await channelCarrier(kits, folder), await bareCarrier(kits)];
    const speeds = { ours: [] as number[], bare: [] as number[] };
    for (const carrier of [ours, bare]) await carrier.exchange();
    for (let turn = 0; turn < turns; turn++) {
      speeds.ours.push(await megabytesPerSecond(ours));
      speeds.bare.push(await megabytesPerSecond(bare));
    }
    const rssMb = Math.round(process.memoryUsage().rss / 1e6);
    await Promise.all([ours.close(), bare.close()]);
    const [oursMbPerS, bareMbPerS] = [median(speeds.ours), median(speeds.bare)];
    return { oursMbPerS, bareMbPerS, ratio: oursMbPerS / bareMbPerS, rssMb, speeds };
  });
}

async function megabytesPerSecond({ exchange }: Carrier): Promise<number> {
  const begin = performance.now();
  for (let i = 0; i < exchangesInATurn; i++) await exchange();
  const bytes = 2 * clients * modelBytes * exchangesInATurn;
  return bytes / 1e6 / ((performance.now() - begin) / 1000);
}

async function channelCarrier(kits: Kits, folder: string): Promise<Carrier> {
  const heard = new Map<Channel, (message: ChannelMessage) => void>();
  const model = memoryBlob([Buffer.alloc(modelBytes, 7)]);
  const server = await listen(kits.server, 1000, (sha256) => (sha256 === model.ref.sha256 ? model : undefined), heard);
  const process = await connected({ kind: 'channels', kits, port: server.port, connections: clients });

  async function one(channel: Channel): Promise<void> {
    const answer = new Promise<ChannelMessage>((resolve) => heard.set(channel, resolve));
    channel.send({ type: 'request', id: 1, method: 'exchange', params: model.ref });
    const message = await answer;
    const ref = blobRef.parse(message.type === 'response' && message.result);
    const sink = fileSink(nodeDisk, join(folder, channel.peer.name), ref);
    await channel.fetch(ref, sink, never);
    await nodeDisk.remove(sink.path);
  }

  return {
    exchange: async () => void (await Promise.all([...heard.keys()].map(one))),
    async close() {
      await server.close({ code: 'stopping', message: 'The benchmark is over.' });
      process.kill();
    },
  };
}

/** A server with channels, which stand in `heard` with who hears them. */
function listen(
  credentials: Credentials,
  heartbeatMs: number,
  source: (sha256: string) => BlobSource | undefined,
  heard: Map<Channel, (message: ChannelMessage) => void>,
) {
  return websocketServer({
    host: '127.0.0.1',
    port: 0,
    credentials,
    limits: { handshakesPerSecond: 1e6, perSite: 1e6, unauthenticated: 1e6 },
    admit: () => true,
    refused: ({ reason }) => console.error(reason),
    accept(connection) {
      const { channel, handler } = openChannel(connection, {
        clock: nodeClock,
        heartbeatMs,
        deadMs: 6 * heartbeatMs,
        source,
        message: (message) => heard.get(channel)!(message),
        unreadable: (_, error) => console.error(error),
        closed: ({ code, message }) => code !== 'stopping' && console.error(message),
      });
      heard.set(channel, () => {});
      return handler;
    },
  });
}

async function bareCarrier(kits: Kits): Promise<Carrier> {
  const model = Buffer.alloc(modelBytes, 7);
  const server = createServer({ ...kits.server, minVersion: 'TLSv1.3', requestCert: true, rejectUnauthorized: true });
  const sockets: WebSocket[] = [];
  const limits = { perMessageDeflate: false, maxPayload: 2 * modelBytes };
  new WebSocketServer({ server, ...limits }).on('connection', (socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const process = await connected({ kind: 'bare', kits, port, connections: clients });

  async function one(socket: WebSocket): Promise<void> {
    const answer = new Promise((resolve) => socket.once('message', resolve));
    socket.send(model);
    await answer;
  }

  return {
    exchange: async () => void (await Promise.all(sockets.map(one))),
    async close() {
      process.kill();
      for (const socket of sockets) socket.terminate();
      server.close();
    },
  };
}

async function idle(kits: Kits): Promise<unknown> {
  const heard = new Map<Channel, (message: ChannelMessage) => void>();
  const server = await listen(kits.server, 10_000, () => undefined, heard);
  const rssBefore = process.memoryUsage().rss;
  const begin = performance.now();
  const child = await connected({ kind: 'channels', kits, port: server.port, connections: idleConnections });
  const connectSeconds = (performance.now() - begin) / 1000;
  const cpuBefore = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, idleSeconds * 1000));
  const { user, system } = process.cpuUsage(cpuBefore);
  const addedMb = (process.memoryUsage().rss - rssBefore) / 1e6;
  const connections = server.stats.connections;
  await server.close({ code: 'stopping', message: 'The benchmark is over.' });
  child.kill();
  return { connections, connectSeconds, addedMb, cores: (user + system) / 1e6 / idleSeconds };
}

interface Connect {
  readonly kind: ClientOrder['kind'];
  readonly kits: Kits;
  readonly port: number;
  readonly connections: number;
}

/** Starts the process of the clients. Resolves when all of them are connected. */
async function connected({ kind, kits, port, connections }: Connect): Promise<ChildProcess> {
  const child = fork(join(__dirname, 'clients.ts'), { execArgv: ['--require', 'ts-node/register'] });
  const updateBytes = connections === clients ? modelBytes : 0;
  const heartbeatMs = connections === clients ? 1000 : 10_000;
  const address = `wss://127.0.0.1:${port}`;
  const order: ClientOrder = { kind, address, credentials: kits.clients, connections, updateBytes, heartbeatMs };
  child.send(order);
  await new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`the clients ended with code ${code}`)));
  });
  return child;
}
