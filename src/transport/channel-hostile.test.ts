import { beforeEach, describe, expect, test } from 'vitest';
import {
  connect,
  MiB,
  network,
  never,
  offer,
  opened,
  server,
  serverIdentity,
  site,
  siteIdentity,
  time,
} from '../../test/support/channel-rig';
import { decodeFrame, encodeFrame, maxChunkBytes } from '../protocol/wire/frame';
import type { Message } from '../protocol/wire/messages';
import { crc32 } from '../util/crc';
import { type BlobSink, memorySink } from './blobs';
import type { Connection } from './connection';

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
