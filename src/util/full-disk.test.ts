import type * as fs from 'node:fs/promises';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { appendLine } from './atomic-file';

/** Bytes that fit on the disk: it takes what fits of a write, as Linux does, and refuses the next. */
let room = Number.POSITIVE_INFINITY;

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fs>();
  return { ...real, open };

  async function open(path: string, flags: string): Promise<fs.FileHandle> {
    const file = await real.open(path, flags);
    const write = file.write.bind(file);
    const take = (bytes: Uint8Array) => {
      if (room === 0) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
      const length = Math.min(room, bytes.byteLength);
      room -= length;
      return write(bytes, 0, length);
    };
    return Object.assign(file, {
      write: async (bytes: Uint8Array | string, at = 0) => take(Buffer.from(bytes).subarray(at)),
      writev: async ([bytes]: Uint8Array[]) => take(bytes!),
    });
  }
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'full-disk-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a line that fits in part only is an error, and the line after it stands on its own', async () => {
  const path = join(folder, 'ledger.jsonl');
  await appendLine(path, '{"a":1}', { durable: true });
  room = 5;
  await expect(appendLine(path, '{"a":2}', { durable: true })).rejects.toThrow('the disk is full (ENOSPC)');
  room = Number.POSITIVE_INFINITY;
  await appendLine(path, '{"a":3}', { durable: true });
  expect(await readFile(path, 'utf8')).toBe('{"a":1}\n{"a":3}\n');
});
