import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { quickDisk, runUntil } from '../../test/support/sim/crash';
import type { SimDisk } from '../../test/support/sim/disk';
import { maxChunkBytes } from '../protocol/wire/frame';
import type { BlobRef } from '../protocol/wire/messages';
import { crc32 } from '../util/crc';
import type { Disk } from '../util/disk';
import { nodeDisk } from '../util/node-disk';
import { sha256Of } from '../util/sha256';
import { blobReceiver } from './blob-receiver';
import { type BlobSink, type BlobSource, fileBlob, memoryBlob, memorySink } from './blobs';
import { fileSink } from './file-sink';

const bytes = Buffer.from(Array.from({ length: 3 * maxChunkBytes + 5 }, (_, i) => (i * 31 + (i >> 8) * 7) & 0xff));
const blob = memoryBlob([bytes]);

/** Fetches from a source as a channel does, without one. @returns bytes that were sent */
async function fetchFrom(source: BlobSource, sink: BlobSink): Promise<number> {
  let sent = 0;
  const receiver = blobReceiver({
    peer: 'server',
    damaged() {},
    send(message) {
      if (message.type !== 'want') return;
      queueMicrotask(async () => {
        for (let at = message.offset; at < source.ref.size; at += maxChunkBytes) {
          const piece = Buffer.concat(await source.read(at, Math.min(maxChunkBytes, source.ref.size - at)));
          sent += piece.length;
          receiver.chunk({ type: 'chunk', stream: message.stream, offset: at, crc: crc32(piece) }, piece);
        }
      });
    },
  });
  await receiver.fetch(source.ref, sink, new AbortController().signal);
  return sent;
}

describe('a blob in memory', () => {
  test('is known by the hash of all its parts, and gives any piece of them without copying', () => {
    const parts = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 8 });
    fc.assert(
      fc.property(parts, fc.nat(200), fc.nat(200), (own, from, length) => {
        const whole = Buffer.concat(own);
        const source = memoryBlob(own);
        expect(source.ref).toEqual({ sha256: sha256Of(whole), size: whole.length });
        const [start, end] = [Math.min(from, whole.length), Math.min(from + length, whole.length)];
        const pieces = source.read(start, end - start) as readonly Uint8Array[];
        expect(Buffer.concat(pieces)).toEqual(whole.subarray(start, end));
        for (const piece of pieces) expect(own.some(({ buffer }) => buffer === piece.buffer)).toBe(true);
      }),
    );
  });

  test('takes no more than it may', async () => {
    const sink = memorySink(10);
    await sink.write([new Uint8Array(6)], 0);
    await expect(sink.write([new Uint8Array(5)], 6)).rejects.toMatchObject({ tag: 'RefusedError' });
    expect(await sink.have()).toBe(6);
  });
});

describe('a blob that is a file', () => {
  const ref = blob.ref;
  const path = '/spool/blob';
  const there = (content: Uint8Array) => quickDisk(1, { files: new Map([[path, content]]) });

  test('gives its bytes, opens once, and closes', async () => {
    const sim = there(bytes);
    const source = fileBlob(sim.mount(), path, ref);
    const pieces = await Promise.all([source.read(0, 10), source.read(ref.size - 7, 7)]);
    expect(Buffer.concat(pieces.flat())).toEqual(Buffer.concat([bytes.subarray(0, 10), bytes.subarray(-7)]));
    await source.close();
    expect(Buffer.concat(await source.read(5, 5))).toEqual(bytes.subarray(5, 10));
    await source.close();
  });

  test('that is too short says so, and names the file', async () => {
    const source = fileBlob(there(bytes.subarray(0, 100)).mount(), path, ref);
    const error = { tag: 'DataError', message: `The file '${path}' was to hold ${ref.size} bytes and ends after 100.` };
    await expect(source.read(90, 20)).rejects.toMatchObject(error);
  });

  test('that is not there says so', async () => {
    const source = fileBlob(quickDisk(1).mount(), path, ref);
    await expect(source.read(0, 1)).rejects.toMatchObject({
      tag: 'WorkspaceError',
      message: expect.stringContaining(path),
    });
  });
});

describe('a blob that arrives in a file', () => {
  const folder = '/site/models';
  const expectWhole = (sim: SimDisk) => {
    const found = sim.files().get(`${folder}/${blob.ref.sha256}`);
    expect(found && sha256Of(found)).toBe(blob.ref.sha256);
  };
  const receive = async (disk: Disk) => fetchFrom(blob, fileSink(disk, folder, blob.ref));

  test('stands under its hash, and nothing else is left', async () => {
    const sim = quickDisk(1);
    await receive(sim.mount());
    expect([...sim.files().keys()]).toEqual([`${folder}/${blob.ref.sha256}`]);
    expectWhole(sim);
  });

  test('is whole, or is fetched to the end, after a power cut or a kill at any moment, and finished is finished', async () => {
    const { operations } = await runUntil(undefined, receive);
    for (const how of ['kill', 'power cut'] as const) {
      for (const remains of ['nothing', 'everything', 'some'] as const) {
        for (const { number: at } of operations) {
          const { sim, result } = await runUntil({ at, how, remains }, receive, { seed: at });
          if (result !== undefined) expectWhole(sim);
          await receive(sim.mount());
          expectWhole(sim);
        }
      }
    }
  });

  test('after the last flush it survives the loss of all that was not flushed', async () => {
    const sim = quickDisk(1);
    await receive(sim.mount());
    sim.powerCut('nothing');
    expectWhole(sim);
  });

  test('is fetched anew when its flush has failed: a later flush succeeds without what the first one lost', async () => {
    const sim = quickDisk(1);
    let failures = 1;
    sim.faults.fail = ({ kind, path }) =>
      kind === 'sync' && path.endsWith('.part') && failures-- > 0 ? 'EIO' : undefined;
    await expect(receive(sim.mount())).rejects.toMatchObject({ tag: 'WorkspaceError' });
    await receive(sim.mount());
    sim.powerCut('nothing');
    expectWhole(sim);
  });

  test('goes on after what an earlier attempt left', async () => {
    const partial = `${folder}/${blob.ref.sha256}.part`;
    const sim = quickDisk(1, { files: new Map([[partial, bytes.subarray(0, maxChunkBytes + 100)]]) });
    expect(await receive(sim.mount())).toBe(bytes.length - maxChunkBytes - 100);
    expect([...sim.files().keys()]).toEqual([`${folder}/${blob.ref.sha256}`]);
  });

  test('that is there already is checked, and not fetched again', async () => {
    const sim = quickDisk(1);
    await receive(sim.mount());
    expect(await receive(sim.mount())).toBe(0);
  });

  test.each<[string, (content: Buffer) => Uint8Array]>([
    ['a bit is wrong', (content) => content.fill(0, 1000, 1001)],
    ['the end is missing', (content) => content.subarray(0, -1)],
    ['something follows', (content) => Buffer.concat([content, Buffer.from('x')])],
  ])('in which %s later is fetched anew', async (_, damage) => {
    for (const name of [blob.ref.sha256, `${blob.ref.sha256}.part`]) {
      const sim = quickDisk(1, { files: new Map([[`${folder}/${name}`, damage(Buffer.from(bytes))]]) });
      await receive(sim.mount());
      expectWhole(sim);
      expect(sim.files().size).toBe(1);
    }
  });

  test('on a full disk is an error with the path, and goes on once there is room', async () => {
    const sim = quickDisk(1);
    sim.faults.quotaBytes = 2 * maxChunkBytes;
    const refused = receive(sim.mount());
    await expect(refused).rejects.toMatchObject({
      tag: 'WorkspaceError',
      message: expect.stringContaining('the disk is full'),
    });
    sim.faults.quotaBytes = undefined;
    expect(await receive(sim.mount())).toBeLessThanOrEqual(2 * maxChunkBytes);
    expectWhole(sim);
  });

  test('that cannot be flushed does not count as finished', async () => {
    const sim = quickDisk(1);
    sim.faults.fail = ({ kind }) => (kind === 'sync' ? 'EIO' : undefined);
    await expect(receive(sim.mount())).rejects.toMatchObject({ tag: 'WorkspaceError' });
    expect([...sim.files().keys()]).toEqual([]);
  });

  test('an empty one is a file, too', async () => {
    const sim = quickDisk(1);
    const empty = memoryBlob([]);
    const ref: BlobRef = { sha256: sha256Of(), size: 0 };
    expect(empty.ref).toEqual(ref);
    await fetchFrom(empty, fileSink(sim.mount(), folder, ref));
    expect(sim.files().get(`${folder}/${ref.sha256}`)).toEqual(Buffer.alloc(0));
  });
});

describe('a blob in a file that is renamed', () => {
  test('is read by who has it in hand before, while and after it is', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'blobs-'));
    const [before, after] = [join(folder, 'before'), join(folder, 'after')];
    await writeFile(before, 'some bytes');
    let goOn = () => {};
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let renamed = () => {};
    const isRenamed = new Promise<void>((resolve) => {
      renamed = resolve;
    });
    const slow: Disk = {
      ...nodeDisk,
      async rename(from, to) {
        await nodeDisk.rename(from, to);
        renamed();
        await held; // The name is another one, and nobody knows yet.
      },
    };
    const source = fileBlob(slow, before, { sha256: sha256Of(Buffer.from('some bytes')), size: 10 });
    const read = async () => Buffer.concat(await source.read(0, 10)).toString();
    expect(await read()).toBe('some bytes');
    const moved = source.move(after);
    await isRenamed;
    const meanwhile = read();
    goOn();
    expect(await meanwhile).toBe('some bytes');
    await moved;
    expect(await read()).toBe('some bytes');
    await source.close();
    await rm(folder, { recursive: true });
  });
});
