import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { float32 } from '../tensor/tensor';
import { nodeDisk } from '../util/node-disk';
import { forgetSpareMemory } from '../util/spare-memory';
import type { Update } from './messages';
import { readUpdate } from './read-update';
import { updateFileParts } from './update-file';

const model = 'ab'.repeat(32);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'read-update-'));
});
afterAll(() => rm(folder, { recursive: true }));

function update(value: number): Update {
  const tensors = new Map([['w', float32([50_000], new Float32Array(50_000).fill(value))]]);
  const seconds = { validate: 0, train: 1, other: 0 };
  const payload = { kind: 'weight-diff', tensors, metrics: { loss: value }, steps: 3 } as const;
  return { site: 'site-1', round: 2, task: 'train', payload, privacy: [], seconds };
}

async function written(value: number): Promise<string> {
  const file = join(folder, String(value));
  await writeFile(file, Buffer.concat(updateFileParts(update(value), model)));
  return file;
}

const bufferOf = (read: Update) => read.payload.tensors.get('w')!.data.buffer;

test('reads what was written, and the next one into the memory that was given back', async () => {
  forgetSpareMemory();
  const one = await readUpdate(nodeDisk, await written(1));
  expect(one).toMatchObject({ update: update(1), model });
  const two = await readUpdate(nodeDisk, await written(2));
  expect(bufferOf(two.update)).not.toBe(bufferOf(one.update));
  expect(one.update).toEqual(update(1));
  one.release();
  one.release();
  const [three, four] = await Promise.all([
    readUpdate(nodeDisk, await written(3)),
    readUpdate(nodeDisk, await written(4)),
  ]);
  const buffers = [two, three, four].map((read) => bufferOf(read.update));
  expect(new Set(buffers).size).toBe(3);
  expect(buffers).toContain(bufferOf(one.update));
  expect([two.update, three.update, four.update]).toEqual([update(2), update(3), update(4)]);
});

test('says which file could not be read, and passes on what the check has against it', async () => {
  const missing = join(folder, 'missing');
  await expect(readUpdate(nodeDisk, missing)).rejects.toMatchObject({
    tag: 'WorkspaceError',
    message: expect.stringContaining(missing),
  });
  const refuse = () => {
    throw new RangeError('not this one');
  };
  await expect(readUpdate(nodeDisk, await written(1), refuse)).rejects.toThrow('not this one');
});
