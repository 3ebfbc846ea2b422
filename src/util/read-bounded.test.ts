import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readBounded } from './read-bounded';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'consilium-read-'));
});
afterAll(() => rm(folder, { recursive: true }));

it('reads a file as a whole, or one byte more than is allowed', async () => {
  const file = join(folder, 'ten');
  await writeFile(file, '0123456789');
  expect(Buffer.from(await readBounded(file, 10, 'file')).toString()).toBe('0123456789');
  expect((await readBounded(file, 4, 'file')).byteLength).toBe(5);
});

it('refuses what is missing, a folder, a device, a pipe without writer, a circle of links, an endless name', async () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  await symlink('loop', join(folder, 'loop'));
  for (const [path, why] of [
    [join(folder, 'absent'), 'it does not exist (ENOENT)'],
    [folder, 'it is a folder'],
    ['/dev/zero', 'it is no regular file'],
    [pipe, 'it is no regular file'],
    [join(folder, 'loop'), 'its links lead in a circle (ELOOP)'],
    [join(folder, 'x'.repeat(4096)), 'its name is too long (ENAMETOOLONG)'],
  ] as const) {
    await expect(readBounded(path, 10, 'job file')).rejects.toMatchObject({
      tag: 'ConfigError',
      message: expect.stringContaining(`cannot be read: ${why}.`),
    });
  }
});
