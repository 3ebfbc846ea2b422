import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { appendLine, dropTornLine, removeTemporaryFiles, workspaceError, writeFileAtomic } from './atomic-file';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'atomic-file-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('replaces a file as a whole and leaves no temporary file', async () => {
  const path = join(folder, 'a', 'b', 'model.bin');
  await writeFileAtomic(path, 'old');
  await writeFileAtomic(path, Uint8Array.of(1, 2, 3));
  expect([...(await readFile(path))]).toEqual([1, 2, 3]);
  expect(await readdir(join(folder, 'a', 'b'))).toEqual(['model.bin']);
});

test('concurrent writers leave one of their files, whole', async () => {
  const path = join(folder, 'model.bin');
  const versions = Array.from({ length: 8 }, (_, i) => String(i).repeat(100_000));
  await Promise.all(versions.map((version) => writeFileAtomic(path, version)));
  expect(versions).toContain(await readFile(path, 'utf8'));
  expect(await readdir(folder)).toEqual(['model.bin']);
});

test('a failed write says where, why and what to do, and leaves nothing behind', async () => {
  await writeFile(join(folder, 'file'), 'x');
  await expect(writeFileAtomic(join(folder, 'file', 'model.bin'), 'y')).rejects.toMatchObject({
    tag: 'WorkspaceError',
    message: expect.stringMatching(/^Cannot write '.*model\.bin': a part of the path is a file, not a folder/),
    hint: expect.stringContaining('--workspace'),
  });
  await expect(writeFileAtomic(folder, 'y')).rejects.toMatchObject({ tag: 'WorkspaceError' });
  expect(await readdir(folder)).toEqual(['file']);
});

test.each([
  ['ENOSPC', 'the disk is full'],
  ['EACCES', 'this user may not write there'],
  ['EROFS', 'the file system is read-only'],
])('explains %s', (code, why) => {
  const error = workspaceError('write', '/w/model.pt', Object.assign(new Error('os'), { code }));
  expect(error.message).toBe(`Cannot write '/w/model.pt': ${why} (${code}).`);
  expect(error.hint).toMatch(/--workspace/);
});

test('removes what a killed process left half-written, in every folder below, and nothing else', async () => {
  await removeTemporaryFiles(join(folder, 'nowhere'));
  await writeFileAtomic(join(folder, 'a', 'b', 'model.bin'), 'x');
  await writeFile(join(folder, 'a', 'b', '.model.bin.17-3.tmp'), 'half');
  await writeFile(join(folder, '.meta.json.1-0.tmp'), 'half');
  await writeFile(join(folder, 'notes.tmp'), 'mine');
  await removeTemporaryFiles(folder);
  expect((await readdir(folder, { recursive: true })).sort()).toEqual(['a', 'a/b', 'a/b/model.bin', 'notes.tmp']);
});

test('appends whole lines', async () => {
  const path = join(folder, 'x', 'ledger.jsonl');
  await appendLine(path, '{"a":1}', { durable: true });
  await appendLine(path, '{"a":2}');
  expect(await readFile(path, 'utf8')).toBe('{"a":1}\n{"a":2}\n');
});

test('drops only the line that a crash cut off', async () => {
  const path = join(folder, 'ledger.jsonl');
  expect(await dropTornLine(path)).toBe(0);
  await writeFile(path, '{"a":1}\n{"a":');
  expect(await dropTornLine(path)).toBe(5);
  expect(await dropTornLine(path)).toBe(0);
  expect(await readFile(path, 'utf8')).toBe('{"a":1}\n');
});

test('what cannot be read is told as such, without a word of where to write', async () => {
  const error = (code: string) => workspaceError('read', '/a', Object.assign(new Error('no'), { code }));
  expect(error('ENOENT').message).toBe("Cannot read '/a': it does not exist (ENOENT).");
  for (const code of ['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES'])
    expect(error(code).hint, code).toMatch(/^Check the path/);
});
