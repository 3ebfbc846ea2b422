import { describe, expect, test } from 'vitest';
import {
  connect,
  given,
  MiB,
  network,
  never,
  offer,
  passThrough,
  server,
  site,
  slowed,
  time,
} from '../../test/support/channel-rig';
import { maxChunkBytes } from '../protocol/wire/frame';
import { sha256Of } from '../util/sha256';
import { stream } from '../util/streams';
import { type BlobSink, memorySink } from './blobs';
import type { ChannelMessage } from './channel';

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

  test('are read a megabyte at a time, in whatever pieces it comes, and by many at once a chunk at a time', async () => {
    await connect();
    const { ref, read } = offer(server, 5 * MiB + 3);
    const lengths: number[] = [];
    server.blobs.set(ref.sha256, {
      ref,
      async read(offset, length) {
        lengths.push(length);
        const bytes = Buffer.concat(await read(offset, length));
        return [bytes.subarray(0, 11), bytes.subarray(11, 700_000), bytes.subarray(700_000)];
      },
    });
    const sink = memorySink(ref.size);
    await fetchTo(sink, ref);
    expect(sha256Of(sink.bytes())).toBe(ref.sha256);
    expect(lengths).toEqual([MiB, MiB, MiB, MiB, MiB, 3]);
    lengths.length = 0;
    const sinks = Array.from({ length: 40 }, () => memorySink(ref.size));
    await time.settle(Promise.all(sinks.map((one) => site.channel.fetch(ref, one, never))));
    for (const one of sinks) expect(sha256Of(one.bytes())).toBe(ref.sha256);
    expect(lengths.filter((length) => length === maxChunkBytes).length).toBeGreaterThan(lengths.length / 2);
  });

  test('what comes while the disk is busy is written together, at most a megabyte', async () => {
    await connect();
    const { ref } = offer(server, 5 * MiB);
    const inner = memorySink(ref.size);
    const written: number[] = [];
    const counting: BlobSink = {
      ...inner,
      async write(pieces, at) {
        written.push(pieces.length);
        await inner.write(pieces, at);
      },
    };
    await fetchTo(slowed(counting, 50), ref);
    expect(sha256Of(inner.bytes())).toBe(ref.sha256);
    expect(Math.max(...written)).toBe(4);
    expect(written.length).toBeLessThan(10);
  });

  test('go on after what is there, and nothing of it is sent again', async () => {
    await connect();
    const blob = offer(server, 5 * MiB);
    const sink = memorySink(blob.ref.size);
    const [first] = [Buffer.concat(await blob.read(0, 3 * MiB + 77))];
    await sink.write([first], 0);
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
    await sink.write([new Uint8Array(MiB)], 0);
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
      write: (pieces, at) => inner.write(pieces, at).then(() => void events.push('written')),
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
      async write(pieces, at) {
        most = Math.max(most, server.channel.stats.bytesOut - at);
        await inner.write(pieces, at);
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
    given.both = { ...given.both, deadMs: 60_000 };
    given.server = { deadMs: 5_000 };
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
