import { beforeEach, describe, expect, test } from 'vitest';
import { type SimProcess, type SimTime, simProcess, simTime } from '../../test/support/sim/clock';
import { type SimNetwork, simNetwork } from '../../test/support/sim/network';
import { ProtocolError } from '../errors';
import { decodeFrame, encodeFrame, maxChunkBytes } from '../protocol/wire/frame';
import type { Message } from '../protocol/wire/messages';
import { crc32 } from '../util/crc';
import { sha256Of } from '../util/sha256';
import { stream } from '../util/streams';
import { type BlobSink, type BlobSource, memoryBlob, memorySink } from './blobs';
import { type Channel, type ChannelMessage, type ChannelOptions, openChannel } from './channel';
import type { CloseReason, Connection, ConnectionHandler, Identity } from './connection';

const MiB = 1 << 20;
const never = new AbortController().signal;
const serverIdentity: Identity = { name: 'server', role: 'server', fingerprint: '00'.repeat(32) };
const siteIdentity: Identity = { name: 'site-1', role: 'site', fingerprint: '11'.repeat(32) };

/** One end, and all that it heard. */
interface End {
  readonly process: SimProcess;
  channel: Channel;
  connection: Connection;
  readonly heard: ChannelMessage[];
  readonly closed: CloseReason[];
  readonly causes: unknown[];
  readonly unreadable: unknown[];
  readonly blobs: Map<string, BlobSource>;
}

let time: SimTime;
let network: SimNetwork;
let server: End;
let site: End;
/** What each end does with its messages, and the times of both; changed before `connect`. */
let settings: Partial<ChannelOptions>;
let serverSettings: Partial<ChannelOptions>;

beforeEach(() => {
  time = simTime();
  const chance = stream(1, 'network');
  network = simNetwork(time, () => chance.random());
  server = end();
  site = end();
  settings = { heartbeatMs: 1000, deadMs: 5000 };
  serverSettings = {};
});

function end(): End {
  const lists = { heard: [], closed: [], causes: [], unreadable: [] };
  const unset = { channel: undefined as unknown as Channel, connection: undefined as unknown as Connection };
  return { process: simProcess(time), blobs: new Map(), ...lists, ...unset };
}

async function connect(): Promise<void> {
  network.listen(server.process, serverIdentity, (connection) => opened(server, connection, serverSettings));
  const dialer = network.dialer(site.process, siteIdentity);
  await time.settle(dialer.dial((connection) => opened(site, connection, {}), never));
}

function opened(one: End, connection: Connection, own: Partial<ChannelOptions>): ConnectionHandler {
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
    ...settings,
    ...own,
  });
  one.channel = channel;
  one.connection = connection;
  return handler;
}

function task(round: number): ChannelMessage {
  return { type: 'cancel', id: round };
}

/** Bytes that differ everywhere, in parts of odd lengths. */
function someBlob(bytes: number): BlobSource {
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

function offer(one: End, bytes: number): BlobSource {
  const blob = someBlob(bytes);
  one.blobs.set(blob.ref.sha256, blob);
  return blob;
}

describe('messages', () => {
  test('arrive in order, in both directions', async () => {
    await connect();
    for (let i = 0; i < 50; i++) {
      site.channel.send(task(i));
      server.channel.send(task(100 + i));
    }
    await time.runFor(100);
    expect(server.heard).toEqual(Array.from({ length: 50 }, (_, i) => task(i)));
    expect(site.heard).toEqual(Array.from({ length: 50 }, (_, i) => task(100 + i)));
    expect(server.channel.peer).toBe(siteIdentity);
  });

  test('of an idle hour cost only beats, and nobody is taken for dead', async () => {
    network.link('site-1').faults.delayMs = 200;
    network.link('site-1').faults.jitterMs = 100;
    await connect();
    await time.runFor(3600_000);
    expect(server.channel.open && site.channel.open).toBe(true);
    expect(server.channel.stats.framesIn).toBeGreaterThan(3500);
    expect(server.channel.stats.framesIn).toBeLessThan(3600 * 1.5);
  });

  test('no beats are sent while messages are', async () => {
    await connect();
    for (let i = 0; i < 200; i++) {
      site.channel.send(task(i));
      await time.runFor(100);
    }
    expect(site.channel.stats.framesOut).toBe(200);
  });

  test('nobody is told twice that a channel closed, and a closed one sends nothing', async () => {
    await connect();
    site.channel.close({ code: 'stopping', message: 'The site stops.', hint: 'Start it again.' });
    expect(site.closed).toHaveLength(1);
    site.channel.send(task(1));
    site.channel.close({ code: 'gone', message: 'again' });
    await time.runFor(10_000);
    expect(server.heard).toEqual([]);
    expect(server.closed).toEqual([{ code: 'stopping', message: 'The site stops.', hint: 'Start it again.' }]);
    expect(site.closed).toHaveLength(1);
    expect(network.link('site-1').connections).toBe(0);
  });

  test('a handler that throws closes the channel; the other end is told what is meant for it', async () => {
    settings = {
      ...settings,
      message() {
        throw new ProtocolError('Nobody asked for that.', { hint: 'Ask first.' });
      },
    };
    await connect();
    site.channel.send(task(1));
    await time.runFor(100);
    expect(site.closed).toEqual([{ code: 'protocol', message: 'Nobody asked for that.', hint: 'Ask first.' }]);
    expect(server.causes[0]).toBeInstanceOf(ProtocolError);
  });

  test('of a bug in a handler the other end learns nothing', async () => {
    serverSettings = {
      message() {
        throw new TypeError('cannot read /data/patient-7');
      },
    };
    await connect();
    site.channel.send(task(1));
    await time.runFor(100);
    expect(site.closed[0]).toEqual({ code: 'protocol', message: 'A message could not be handled, by an error here.' });
    expect(server.causes[0]).toBeInstanceOf(TypeError);
  });
});

describe('the first message', () => {
  const opening = { expect: 'hello', withinMs: 10_000 } as const;

  test('must be the one that is expected', async () => {
    serverSettings = { opening };
    await connect();
    site.channel.send(task(1));
    await time.runFor(100);
    expect(site.closed).toEqual([{ code: 'protocol', message: "A 'hello' was to come first, and a 'cancel' came." }]);
    expect(server.heard).toEqual([]);
  });

  test('a blob cannot be asked for before it', async () => {
    serverSettings = { opening };
    await connect();
    const { ref } = offer(server, 10);
    await expect(time.settle(site.channel.fetch(ref, memorySink(10), never))).rejects.toThrow(
      "'hello' was to come first",
    );
  });

  test('must come in time, and beats do not count', async () => {
    serverSettings = { opening };
    await connect();
    await time.runFor(9_990);
    expect(server.channel.open).toBe(true);
    await time.runFor(100);
    expect(site.closed).toEqual([{ code: 'protocol', message: "No 'hello' came from 'site-1' within 10 s." }]);
  });

  test('is waited for longer when the server itself could not run', async () => {
    serverSettings = { opening };
    await connect();
    await time.runFor(9_000);
    server.process.block(4_000);
    await time.runFor(3_000);
    site.channel.send({ type: 'hello', protocols: [1], software: 'x', boot: 'b' });
    await time.runFor(20_000);
    expect(server.channel.open).toBe(true);
    expect(server.heard).toHaveLength(1);
  });
});

describe('what a network may do', () => {
  const closing = async (disturb: () => void, ms = 2_000) => {
    await connect();
    await time.runFor(2_500);
    disturb();
    const before = time.nowMs;
    await time.run(() => !server.channel.open && !site.channel.open, ms);
    return time.nowMs - before;
  };

  test('one lost frame is noticed with the next one or with a beat', async () => {
    await closing(() => {
      network.link('site-1').dropNext('to-server');
      site.channel.send(task(1));
    });
    expect(server.closed[0]).toMatchObject({
      code: 'protocol',
      message: expect.stringMatching(/^Frame \d+ from 'site-1'/),
    });
    expect(server.heard).toEqual([]);
  });

  test.each(['to-server', 'to-client'] as const)('a lost beat %s is noticed with the next one', async (direction) => {
    const tookMs = await closing(() => network.link('site-1').dropNext(direction), 3_000);
    expect(tookMs).toBeGreaterThan(500);
    expect(site.closed[0]).toMatchObject({ code: 'protocol' });
  });

  test.each([
    ['want', 'to-server'],
    ['chunk', 'to-client'],
    ['got', 'to-server'],
    ['no-blob', 'to-client'],
    ['unwant', 'to-server'],
  ] as const)(
    'a lost %s does not leave a fetch waiting: it ends, and goes on with the next connection',
    async (type, way) => {
      await connect();
      const { ref } = offer(server, 6 * MiB);
      const picks = (bytes: Uint8Array) => decodeFrame(bytes).message.type === type;
      network.link('site-1').dropNext(way, picks);
      if (type === 'no-blob') server.blobs.clear();
      const sink = memorySink(ref.size);
      const stop = new AbortController();
      const fetching = site.channel.fetch(ref, sink, stop.signal);
      fetching.catch(() => {});
      await time.runFor(1);
      if (type === 'unwant') stop.abort(new Error('ended'));
      await expect(time.settle(fetching, 3_000)).rejects.toThrow('ended');
      await time.run(() => !server.channel.open, 3_000);
      server.blobs.set(ref.sha256, someBlob(ref.size));
      await connect();
      await time.settle(site.channel.fetch(ref, sink, never));
      expect(sha256Of(sink.bytes())).toBe(ref.sha256);
    },
  );

  test('doubled frames are dropped and counted', async () => {
    network.link('site-1').faults.duplicate = 1;
    await connect();
    const { ref } = offer(server, 3 * MiB);
    const sink = memorySink(ref.size);
    for (let i = 0; i < 20; i++) site.channel.send(task(i));
    await time.settle(site.channel.fetch(ref, sink, never));
    await time.runFor(1_000);
    expect(server.heard).toEqual(Array.from({ length: 20 }, (_, i) => task(i)));
    expect(sha256Of(sink.bytes())).toBe(ref.sha256);
    expect(server.channel.stats.duplicates).toBe(server.channel.stats.framesIn);
    expect(server.channel.open && site.channel.open).toBe(true);
  });

  test('frames out of order close the channel; what was heard is the beginning of what was said', async () => {
    await connect();
    for (let i = 0; i < 100; i++) {
      if (i === 10) network.link('site-1').faults.reorder = 0.2;
      site.channel.send(task(i));
    }
    await time.runFor(3_000);
    expect(server.closed[0]).toMatchObject({ code: 'protocol' });
    expect(server.heard.length).toBeGreaterThanOrEqual(10);
    expect(server.heard).toEqual(Array.from({ length: server.heard.length }, (_, i) => task(i)));
  });

  test('a reset connection is heard of at once', async () => {
    expect(await closing(() => network.link('site-1').cut(), 10)).toBeLessThan(10);
    expect(server.closed[0]).toMatchObject({ code: 'gone' });
  });

  test('silence of a dead connection is noticed after the time for it, at both ends', async () => {
    const tookMs = await closing(() => network.link('site-1').halfOpen(), 10_000);
    expect(tookMs).toBeGreaterThan(3_900);
    expect(tookMs).toBeLessThan(6_000);
    expect(server.closed[0]).toMatchObject({ code: 'silent', message: "Nothing came from 'site-1' for 5 s." });
    expect(site.closed[0]).toMatchObject({ code: 'silent', message: "Nothing came from 'server' for 5 s." });
  });

  test.each(['to-server', 'to-client'] as const)('loss %s only is noticed by both ends', async (direction) => {
    await closing(() => network.link('site-1').faults.lost.add(direction), 12_000);
    expect(server.channel.open || site.channel.open).toBe(false);
  });

  test('a hole shorter than the time for it changes nothing', async () => {
    await connect();
    const { lost } = network.link('site-1').faults;
    lost.add('to-server').add('to-client');
    site.channel.send(task(1));
    await time.runFor(3_500);
    lost.clear();
    await time.runFor(10_000);
    expect(server.channel.open && site.channel.open).toBe(true);
    expect(server.heard).toEqual([task(1)]);
  });
});

describe('a process that cannot run', () => {
  test('does not blame the other end: blocked for 3 s, or for an hour', async () => {
    await connect();
    for (const ms of [3_000, 3_000, 3_000]) {
      await time.runFor(1_500);
      server.process.block(ms);
      await time.runFor(ms + 500);
    }
    expect(server.closed).toEqual([]);
    site.process.block(3600_000);
    server.process.block(3600_000);
    await time.runFor(3600_000 + 10_000);
    expect(server.closed).toEqual([]);
    expect(site.closed).toEqual([]);
  });

  test('is given up by the other end after the time for it, and learns that when it runs again', async () => {
    await connect();
    site.process.freeze();
    await time.runFor(6_000);
    expect(server.closed).toEqual([{ code: 'silent', message: expect.any(String), hint: expect.any(String) }]);
    site.process.thaw();
    await time.runFor(100);
    expect(site.closed).toEqual([
      expect.objectContaining({ code: 'silent', message: "Nothing came from 'site-1' for 5 s." }),
    ]);
  });

  test('a clock on the wall that jumps changes nothing', async () => {
    await connect();
    for (const ms of [86_400_000, -2 * 86_400_000]) {
      server.process.jumpWall(ms);
      await time.runFor(20_000);
    }
    expect(server.channel.open && site.channel.open).toBe(true);
  });
});

describe('blobs', () => {
  const fetchTo = (sink: BlobSink, ref: { sha256: string; size: number }, signal = never) =>
    time.settle(site.channel.fetch(ref, sink, signal));

  test.each([0, 1, maxChunkBytes, maxChunkBytes + 1, 9 * MiB + 5])('of %i bytes arrive', async (size) => {
    await connect();
    const { ref } = offer(server, size);
    const sink = memorySink(size);
    await fetchTo(sink, ref);
    expect(sha256Of(sink.bytes())).toBe(ref.sha256);
    expect(sink.bytes()).toHaveLength(size);
  });

  test('many at one time, in both directions, one source for all of them', async () => {
    await connect();
    const { ref } = offer(server, 6 * MiB);
    offer(site, 6 * MiB);
    const sinks = Array.from({ length: 8 }, () => memorySink(ref.size));
    const fetches = sinks.map((sink, i) => (i % 2 ? server : site).channel.fetch(ref, sink, never));
    await time.settle(Promise.all(fetches));
    for (const sink of sinks) expect(sha256Of(sink.bytes())).toBe(ref.sha256);
  });

  test('go on after what is there, and nothing of it is sent again', async () => {
    await connect();
    const blob = offer(server, 5 * MiB);
    const sink = memorySink(blob.ref.size);
    const [first] = [Buffer.concat(await blob.read(0, 3 * MiB + 77))];
    await sink.write(first, 0);
    await fetchTo(sink, blob.ref);
    expect(sha256Of(sink.bytes())).toBe(blob.ref.sha256);
    expect(site.channel.stats.bytesIn).toBeLessThan(2 * MiB + 2000);
  });

  test('a connection lost half way leaves what came, and the next one brings the rest', async () => {
    network.link('site-1').faults.bytesPerSecond = 4 * MiB;
    await connect();
    const { ref } = offer(server, 8 * MiB);
    const sink = memorySink(ref.size);
    const fetching = site.channel.fetch(ref, sink, never);
    fetching.catch(() => {});
    await time.runFor(1_000);
    network.link('site-1').cut();
    await expect(time.settle(fetching)).rejects.toThrow("The connection to 'server' ended: The connection was reset.");
    const have = await sink.have();
    expect(have).toBeGreaterThan(3 * MiB);
    await connect();
    await fetchTo(sink, ref);
    expect(site.channel.stats.bytesIn).toBeLessThan(ref.size - have + maxChunkBytes);
    expect(sha256Of(sink.bytes())).toBe(ref.sha256);
  });

  test('a wrong beginning is noticed by the hash, thrown away and fetched again', async () => {
    await connect();
    const { ref } = offer(server, 2 * MiB);
    const sink = memorySink(ref.size);
    await sink.write(new Uint8Array(MiB), 0);
    await fetchTo(sink, ref);
    expect(sha256Of(sink.bytes())).toBe(ref.sha256);
  });

  test('content that is wrong twice is an error that says where to look', async () => {
    await connect();
    const { ref } = offer(server, 1000);
    server.blobs.set(ref.sha256, { ref, read: (_, length) => [new Uint8Array(length)] });
    const sink = memorySink(ref.size);
    await expect(fetchTo(sink, ref)).rejects.toMatchObject({
      tag: 'ProtocolError',
      hint: expect.stringContaining('damaged'),
    });
    expect(await sink.have()).toBe(0);
    expect(site.channel.open).toBe(true);
  });

  test('flipped bits in chunks are asked for again, and never written', async () => {
    await connect();
    const blob = offer(server, 10 * MiB);
    const flips = stream(5, 'flips');
    let flipped = 0;
    passThrough(server, (frame) => {
      if (frame.message.type !== 'chunk' || flips.random() > 0.15) return frame.bytes;
      flipped++;
      const bytes = Uint8Array.from(frame.bytes);
      bytes[Math.floor(flips.random() * bytes.length)]! ^= 1 << Math.floor(flips.random() * 8);
      return bytes;
    });
    const sink = memorySink(blob.ref.size);
    await fetchTo(sink, blob.ref);
    expect(flipped).toBeGreaterThan(3);
    expect(site.channel.stats.badChunks).toBeGreaterThan(3);
    expect(sha256Of(sink.bytes())).toBe(blob.ref.sha256);
    expect(site.channel.open).toBe(true);
  });

  test('damage while the disk is behind is asked for again once it has caught up', async () => {
    await connect();
    const { ref } = offer(server, 8 * MiB);
    let count = 0;
    passThrough(server, ({ bytes }) => (++count % 7 === 0 ? bytes.map((byte) => byte ^ 1) : bytes));
    const sink = memorySink(ref.size);
    await fetchTo(slowed(sink, 100), ref);
    expect(site.channel.stats.badChunks).toBeGreaterThan(2);
    expect(sha256Of(sink.bytes())).toBe(ref.sha256);
    expect(server.closed).toEqual([]);
  });

  test('a way that changes every chunk is given up with a reason', async () => {
    await connect();
    const { ref } = offer(server, MiB);
    passThrough(server, ({ message, bytes }) => (message.type === 'chunk' ? bytes.map((byte) => byte ^ 1) : bytes));
    await expect(fetchTo(memorySink(ref.size), ref)).rejects.toThrow(
      "8 chunks in a row from 'server' arrived damaged.",
    );
  });

  test('one that nobody has, or of another size, is refused, and the channel goes on', async () => {
    await connect();
    const { ref } = offer(server, 1000);
    const other = { ...ref, sha256: 'ab'.repeat(32) };
    await expect(fetchTo(memorySink(1000), other)).rejects.toThrow("'server' has no blob abababababab… of 1000 bytes");
    await expect(fetchTo(memorySink(2000), { ...ref, size: 1001 })).rejects.toThrow('has no blob');
    await fetchTo(memorySink(1000), ref);
  });

  test('one that cannot be read is refused, and the end that has it learns why', async () => {
    await connect();
    const { ref } = offer(server, 2 * MiB);
    const failure = new Error('EIO');
    const read = (offset: number, length: number) =>
      offset < MiB ? [new Uint8Array(length)] : Promise.reject(failure);
    server.blobs.set(ref.sha256, { ref, read });
    await expect(fetchTo(memorySink(ref.size), ref)).rejects.toThrow('or cannot read it');
    expect(server.unreadable).toEqual([failure]);
    expect(server.channel.open).toBe(true);
  });

  test('a sink that fails ends its fetch with its error, and nothing else', async () => {
    await connect();
    const { ref } = offer(server, 4 * MiB);
    await expect(fetchTo(memorySink(MiB), ref)).rejects.toThrow(`more than ${MiB} bytes was sent`);
    await time.runFor(1_000);
    await fetchTo(memorySink(ref.size), ref);
  });

  test('a fetch that is called off ends with the reason, leaves what came, and can be taken up at once', async () => {
    network.link('site-1').faults.bytesPerSecond = 4 * MiB;
    await connect();
    const { ref } = offer(server, 8 * MiB);
    const sink = memorySink(ref.size);
    const stop = new AbortController();
    const fetching = site.channel.fetch(ref, sink, stop.signal);
    fetching.catch(() => {});
    await time.runFor(1_000);
    stop.abort(new Error('no longer needed'));
    await expect(time.settle(fetching)).rejects.toThrow('no longer needed');
    expect(await sink.have()).toBeGreaterThan(3 * MiB);
    await fetchTo(sink, ref);
    expect(sha256Of(sink.bytes())).toBe(ref.sha256);
    expect(site.channel.open).toBe(true);
    expect(site.channel.stats.bytesIn).toBeLessThan(ref.size + 5 * MiB);
  });

  test('a sink is closed only when nothing is being written to it', async () => {
    await connect();
    const { ref } = offer(server, 2 * MiB);
    const events: string[] = [];
    const inner = slowed(memorySink(ref.size), 500);
    const sink: BlobSink = {
      ...inner,
      write: (bytes, at) => inner.write(bytes, at).then(() => void events.push('written')),
      close: async () => void events.push('closed'),
    };
    const stop = new AbortController();
    const fetching = site.channel.fetch(ref, sink, stop.signal);
    fetching.catch(() => {});
    await time.runFor(100);
    stop.abort(new Error('called off'));
    await expect(time.settle(fetching)).rejects.toThrow('called off');
    expect(events).toEqual(['written', 'closed']);
  });

  test('nothing of a blob is sent any more once it was called off, although it was being read', async () => {
    await connect();
    const { ref } = offer(server, MiB);
    const read = (_: number, length: number) =>
      new Promise<Uint8Array[]>((resolve) => server.process.clock.after(300, () => resolve([new Uint8Array(length)])));
    server.blobs.set(ref.sha256, { ref, read });
    const stop = new AbortController();
    site.channel.fetch(ref, memorySink(ref.size), stop.signal).catch(() => {});
    await time.runFor(100);
    stop.abort();
    await time.runFor(900);
    expect(server.channel.stats.bytesOut).toBeLessThan(1000);
  });

  test('behind many messages a blob waits until the buffer has room, and comes then', async () => {
    network.link('site-1').faults.bytesPerSecond = 5 * MiB;
    await connect();
    const { ref } = offer(server, MiB);
    for (let i = 0; i < 24; i++)
      server.channel.send({ type: 'response', id: 1, result: 'x'.repeat(500_000), more: true });
    expect(server.connection.bufferedBytes).toBeGreaterThan(8 * MiB);
    const sink = memorySink(ref.size);
    await fetchTo(sink, ref);
    expect(sha256Of(sink.bytes())).toBe(ref.sha256);
    expect(site.heard).toHaveLength(24);
  });

  test('a slow disk slows the sender: no more than the window is ever on its way', async () => {
    await connect();
    const { ref } = offer(server, 12 * MiB);
    const inner = memorySink(ref.size);
    let most = 0;
    const counting: BlobSink = {
      ...inner,
      async write(bytes, at) {
        most = Math.max(most, server.channel.stats.bytesOut - at);
        await inner.write(bytes, at);
      },
    };
    await fetchTo(slowed(counting, 50), ref);
    expect(sha256Of(inner.bytes())).toBe(ref.sha256);
    expect(most).toBeLessThan(4 * MiB + 10_000);
  });

  test('256 KB/s and a transfer fourteen times as long as the time for silence: it arrives', async () => {
    network.link('site-1').faults.bytesPerSecond = 256_000;
    await connect();
    const { ref } = offer(server, 18_800_000);
    const sink = memorySink(ref.size);
    await fetchTo(sink, ref);
    expect(time.nowMs).toBeGreaterThan(70_000);
    expect(sha256Of(sink.bytes())).toBe(ref.sha256);
    expect(server.channel.open).toBe(true);
  });

  test('who reads nothing costs a bounded buffer and is given up', async () => {
    settings = { ...settings, deadMs: 60_000 };
    serverSettings = { deadMs: 5_000 };
    await connect();
    const { ref } = offer(server, 30 * MiB);
    for (let i = 0; i < 6; i++) site.channel.fetch(ref, memorySink(ref.size), never).catch(() => {});
    site.connection.pause();
    let most = 0;
    for (let i = 0; i < 100 && server.channel.open; i++) {
      await time.runFor(100);
      most = Math.max(most, server.connection.bufferedBytes);
      if (site.channel.open) site.channel.send({ type: 'cancel', id: i });
    }
    expect(server.closed[0]).toMatchObject({
      code: 'too-slow',
      message: "'site-1' took nothing of what it is sent for 5 s.",
    });
    expect(most).toBeGreaterThan(7 * MiB);
    expect(most).toBeLessThan(9 * MiB);
  });

  test('who reads nothing of many messages is given up before they fill the memory', async () => {
    await connect();
    site.connection.pause();
    const log: ChannelMessage = { type: 'response', id: 1, result: 'x'.repeat(500_000), more: true };
    let sent = 0;
    for (; server.channel.open && sent < 1000; sent++) server.channel.send(log);
    expect(sent).toBeLessThan(140);
    expect(server.closed[0]).toMatchObject({ code: 'too-slow' });
  });

  test('who says that it is alive and sends nothing of a blob is given up', async () => {
    await connect();
    const { ref } = offer(server, MiB);
    server.blobs.set(ref.sha256, { ref, read: () => new Promise(() => {}) });
    await expect(fetchTo(memorySink(ref.size), ref)).rejects.toThrow(
      'sent nothing of a blob that it was asked for for 5 s',
    );
    expect(site.closed[0]).toMatchObject({ code: 'too-slow' });
  });
});

describe('a hostile end', () => {
  /** The site speaks for itself, without a channel. */
  let numbered: number;
  let raw: Connection;
  let told: Message[];

  beforeEach(async () => {
    numbered = 0;
    told = [];
    network.listen(server.process, serverIdentity, (connection) => opened(server, connection, {}));
    const dialer = network.dialer(site.process, siteIdentity);
    const handler = { message: (bytes: Uint8Array) => told.push(decodeFrame(bytes).message), closed() {} };
    raw = await time.settle(dialer.dial(() => handler, never));
  });

  function say(message: Message, ...parts: Uint8Array[]): void {
    raw.send(encodeFrame(++numbered, message, parts));
  }

  async function complaint(): Promise<string> {
    await time.runFor(100);
    const bye = told.find((one) => one.type === 'bye');
    return bye?.type === 'bye' ? `${bye.code}: ${bye.message}` : 'none';
  }

  test('bytes that are no frame close its channel only, and it is told', async () => {
    raw.send([Buffer.from('GET / HTTP/1.1\r\n\r\n')]);
    expect(await complaint()).toMatch(/^protocol: A frame is broken/);
    expect(server.closed).toHaveLength(1);
  });

  test.each<[string, readonly number[], string]>([
    ['skipped', [1, 3], 'protocol: Frame 2 from'],
    ['far ahead', [0xffffffff], 'protocol: Frames 1 to 4294967294 from'],
    ['replayed', [1, 1, 1], 'none'],
    ['zero', [0], 'none'],
  ])('numbers %s', async (_, numbers, expected) => {
    for (const number of numbers) raw.send(encodeFrame(number, { type: 'cancel', id: number }));
    expect(await complaint()).toContain(expected);
    expect(server.heard.length).toBe(numbers[0] === 1 ? 1 : 0);
  });

  const blob = { sha256: 'ab'.repeat(32), size: 10 };
  test.each<[string, Message[], string]>([
    ['a stream number that was left out', [{ type: 'want', stream: 2, blob, offset: 0 }], 'Stream 1 was to come next'],
    ['a blob from beyond its end', [{ type: 'want', stream: 1, blob, offset: 10 }], 'asked for from 10 on'],
    ['an acknowledgement of nothing', [{ type: 'got', stream: 1, offset: 0 }], 'Stream 1 was never asked for'],
    ['farewell to nothing', [{ type: 'unwant', stream: 7 }], 'Stream 7 was never asked for'],
    ['a denial of nothing', [{ type: 'no-blob', stream: 7 }], 'stream 7, which was never asked for'],
  ])('%s', async (_, messages, expected) => {
    for (const message of messages) say(message);
    expect(await complaint()).toContain(expected);
  });

  test('more blobs at one time than anybody needs', async () => {
    const { ref } = offer(server, 20 * MiB);
    for (let i = 1; i <= 65; i++) say({ type: 'want', stream: i, blob: ref, offset: 0 });
    expect(await complaint()).toContain('More than 64 blobs are wanted at one time');
  });

  test('an acknowledgement of what was not sent', async () => {
    const { ref } = offer(server, 20 * MiB);
    say({ type: 'want', stream: 1, blob: ref, offset: 0 });
    say({ type: 'got', stream: 1, offset: 5 * MiB });
    expect(await complaint()).toContain('0 to 2097152 are under way');
  });

  test.each<[string, number, number, number, string]>([
    ['out of order', 1, maxChunkBytes, maxChunkBytes, 'the one at 262144 came'],
    ['too short', 1, 0, 10, 'was to have 262144 bytes and has 10'],
    ['of a stream that nobody asked for', 2, 0, maxChunkBytes, 'never asked for'],
  ])('a chunk %s', async (_, id, offset, length, expected) => {
    server.channel.fetch({ sha256: blob.sha256, size: 10 * MiB }, memorySink(10 * MiB), never).catch(() => {});
    await time.runFor(10);
    say({ type: 'chunk', stream: id, offset, crc: 0 }, new Uint8Array(length));
    expect(await complaint()).toContain(expected);
  });

  test('a flood of chunks faster than they can be written', async () => {
    const stuck: BlobSink = { ...memorySink(100 * MiB), write: () => new Promise(() => {}) };
    server.channel.fetch({ sha256: blob.sha256, size: 100 * MiB }, stuck, never).catch(() => {});
    await time.runFor(10);
    const zeros = new Uint8Array(maxChunkBytes);
    const crc = crc32(zeros);
    for (let i = 0; i < 30; i++) say({ type: 'chunk', stream: 1, offset: i * maxChunkBytes, crc }, zeros);
    expect(await complaint()).toContain('bytes of a blob came that were not acknowledged');
  });

  test('chunks for ever of a blob that was called off', async () => {
    const stop = new AbortController();
    const fetching = server.channel.fetch({ sha256: blob.sha256, size: 100 * MiB }, memorySink(MiB), stop.signal);
    fetching.catch(() => {});
    await time.runFor(10);
    stop.abort();
    for (let i = 0; i < 30; i++) {
      say({ type: 'chunk', stream: 1, offset: i * maxChunkBytes, crc: 0 }, new Uint8Array(maxChunkBytes));
    }
    expect(await complaint()).toContain('Chunks keep coming');
  });

  test('a flood of beats is read slowly, and is not taken for silence', async () => {
    for (let i = 0; i < 50_000; i++) say({ type: 'beat' });
    await time.runFor(10_000);
    expect(server.channel.open).toBe(true);
    expect(server.channel.stats.framesIn).toBeGreaterThan(8_000);
    expect(server.channel.stats.framesIn).toBeLessThan(14_000);
  });
});

/** A sink whose disk takes its time. */
function slowed(sink: BlobSink, ms: number): BlobSink {
  return {
    ...sink,
    async write(bytes, at) {
      await new Promise<void>((resolve) => site.process.clock.after(ms, resolve));
      await sink.write(bytes, at);
    },
  };
}

/** Changes the chunks of what an end sends, after their checksums were made. */
function passThrough(one: End, change: (frame: ReturnType<typeof decodeFrame>) => Uint8Array): void {
  const send = one.connection.send;
  (one.connection as { send: Connection['send'] }).send = (parts) => {
    const frame = decodeFrame(Buffer.concat(parts));
    if (frame.message.type !== 'chunk') send(parts);
    else send(encodeFrame(frame.number, frame.message, [change(frame)]));
  };
}
