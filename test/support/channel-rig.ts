/**
 * Two ends of a channel on a network and a time of our own, for tests.
 *
 * @module
 */
import { beforeEach } from 'vitest';
import { decodeFrame, encodeFrame } from '../../src/protocol/wire/frame';
import { type BlobSink, type BlobSource, memoryBlob } from '../../src/transport/blobs';
import { type Channel, type ChannelMessage, type ChannelOptions, openChannel } from '../../src/transport/channel';
import type { CloseReason, Connection, ConnectionHandler, Identity } from '../../src/transport/connection';
import { stream } from '../../src/util/streams';
import { type SimProcess, type SimTime, simProcess, simTime } from './sim/clock';
import { type SimNetwork, simNetwork } from './sim/network';

export const MiB = 1 << 20;
export const never: AbortSignal = new AbortController().signal;
export const serverIdentity: Identity = { name: 'server', role: 'server', fingerprint: '00'.repeat(32) };
export const siteIdentity: Identity = { name: 'site-1', role: 'site', fingerprint: '11'.repeat(32) };

/** One end, and all that it heard. */
export interface End {
  readonly process: SimProcess;
  channel: Channel;
  connection: Connection;
  readonly heard: ChannelMessage[];
  readonly closed: CloseReason[];
  readonly causes: unknown[];
  readonly unreadable: unknown[];
  readonly blobs: Map<string, BlobSource>;
}

export let time: SimTime;
export let network: SimNetwork;
export let server: End;
export let site: End;
/** What each end does with its messages, and the times of both; changed before `connect`. */
export const given: { both: Partial<ChannelOptions>; server: Partial<ChannelOptions> } = { both: {}, server: {} };

/** New ones for each test. */
beforeEach(() => {
  time = simTime();
  const chance = stream(1, 'network');
  network = simNetwork(time, () => chance.random());
  server = end();
  site = end();
  given.both = { heartbeatMs: 1000, deadMs: 5000 };
  given.server = {};
});

export function end(): End {
  const lists = { heard: [], closed: [], causes: [], unreadable: [] };
  const unset = { channel: undefined as unknown as Channel, connection: undefined as unknown as Connection };
  return { process: simProcess(time), blobs: new Map(), ...lists, ...unset };
}

export async function connect(): Promise<void> {
  network.listen(server.process, serverIdentity, (connection) => opened(server, connection, given.server));
  const dialer = network.dialer(site.process, siteIdentity);
  await time.settle(dialer.dial((connection) => opened(site, connection, {}), never));
}

export function opened(one: End, connection: Connection, own: Partial<ChannelOptions>): ConnectionHandler {
  const { channel, handler } = openChannel(connection, {
    clock: one.process.clock,
    heartbeatMs: 1000,
    deadMs: 5000,
    source: (sha256) => one.blobs.get(sha256),
    message: (message) => one.heard.push(message),
    unreadable: (_, error) => one.unreadable.push(error),
    closed(reason, cause) {
      one.closed.push(reason);
      one.causes.push(cause);
    },
    ...given.both,
    ...own,
  });
  one.channel = channel;
  one.connection = connection;
  return handler;
}

export function task(round: number): ChannelMessage {
  return { type: 'cancel', id: round };
}

/** Bytes that differ everywhere, in parts of odd lengths. */
export function someBlob(bytes: number): BlobSource {
  const chance = stream(3, 'blob');
  const whole = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i++) whole[i] = i * 31 + (i >> 8) * 7;
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes; ) {
    const length = 1 + Math.floor(chance.random() * 700_000);
    parts.push(whole.subarray(at, at + length));
    at += length;
  }
  return memoryBlob(parts);
}

export function offer(one: End, bytes: number): BlobSource {
  const blob = someBlob(bytes);
  one.blobs.set(blob.ref.sha256, blob);
  return blob;
}

/** A sink whose disk takes its time. */
export function slowed(sink: BlobSink, ms: number): BlobSink {
  return {
    ...sink,
    async write(pieces, at) {
      await new Promise<void>((resolve) => site.process.clock.after(ms, resolve));
      await sink.write(pieces, at);
    },
  };
}

/** Changes the chunks of what an end sends, after their checksums were made. */
export function passThrough(one: End, change: (frame: ReturnType<typeof decodeFrame>) => Uint8Array): void {
  const send = one.connection.send;
  (one.connection as { send: Connection['send'] }).send = (parts) => {
    const frame = decodeFrame(Buffer.concat(parts));
    if (frame.message.type !== 'chunk') send(parts);
    else send(encodeFrame(frame.number, frame.message, [change(frame)]));
  };
}
