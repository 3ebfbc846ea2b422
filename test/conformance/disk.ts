/** What every disk must do, the real one and the simulated one. */
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Disk } from '../../src/util/disk';

/** @param fresh gives a disk and an empty folder on it, before each test. */
export function testDisk(name: string, fresh: () => Promise<{ readonly disk: Disk; readonly folder: string }>) {
  describe(`${name} as a disk`, () => {
    let disk: Disk;
    let at: (...path: string[]) => string;
    beforeEach(async () => {
      const given = await fresh();
      disk = given.disk;
      at = (...path) => join(given.folder, ...path);
    });

    it('writes the parts of a new file one after the other, and refuses to make it twice', async () => {
      await put(disk, at('a'), [text('one '), text(''), text('two '), text('three')]);
      expect(await read(disk, at('a'))).toBe('one two three');
      await expect(disk.open(at('a'), 'new')).rejects.toMatchObject({ code: 'EEXIST' });
    });

    it('writes thousands of parts as it writes one', async () => {
      const parts = Array.from({ length: 2000 }, (_, i) => text(`${i},`));
      await put(disk, at('a'), parts);
      expect(await read(disk, at('a'))).toBe(Array.from({ length: 2000 }, (_, i) => `${i},`).join(''));
    });

    it('appends at the end whatever place is named, and makes the file when it is missing', async () => {
      const file = await disk.open(at('log'), 'append');
      await file.write([text('ab')]);
      await file.write([text('cd')], 0);
      expect(await file.size()).toBe(4);
      await file.close();
      const again = await disk.open(at('log'), 'append');
      await again.write([text('ef')]);
      await again.close();
      expect(await read(disk, at('log'))).toBe('abcdef');
    });

    it('writes and reads at places, also past the end, and without a place at the end', async () => {
      const file = await disk.open(at('part'), 'update');
      await file.write([text('abc'), text('def')], 0);
      await file.write([text('X')], 1);
      await file.write([text('!')]);
      await file.write([text('end')], 10);
      await file.sync();
      await file.close();
      expect(await read(disk, at('part'))).toBe('aXcdef!\0\0\0end');
      const again = await disk.open(at('part'), 'update');
      const into = new Uint8Array(8);
      expect(await again.read(into, 9)).toBe(4);
      expect(Buffer.from(into).toString()).toBe('\0end\0\0\0\0');
      expect(await again.read(into, 13)).toBe(0);
      await again.close();
    });

    it('makes a file shorter and longer', async () => {
      await put(disk, at('a'), [text('abcdef')]);
      const file = await disk.open(at('a'), 'update');
      await file.truncate(2);
      await file.truncate(4);
      await file.close();
      expect(await read(disk, at('a'))).toBe('ab\0\0');
    });

    it('makes folders within folders, lists them, and lists what lies deeper', async () => {
      await disk.makeFolder(at('x', 'y'));
      await disk.makeFolder(at('x', 'y'));
      await put(disk, at('x', 'y', 'z'), [text('1')]);
      await put(disk, at('x', 'w'), [text('2')]);
      expect((await disk.list(at('x'))).sort()).toEqual(['w', 'y']);
      expect((await disk.list(at('x'), { recursive: true })).sort()).toEqual(['w', 'y', 'y/z']);
      await disk.syncFolder(at('x'));
    });

    it('knows what is there', async () => {
      await put(disk, at('a'), [text('1')]);
      expect([await disk.exists(at('a')), await disk.exists(at('b')), await disk.exists(at('a', 'b'))]).toEqual([
        true,
        false,
        false,
      ]);
    });

    it('says where things lie, and that they do not', async () => {
      await disk.makeFolder(at('x'));
      await put(disk, at('x', 'a'), [text('1')]);
      expect(await disk.realPath(at('x', 'a'))).toBe(join(await disk.realPath(at()), 'x', 'a'));
      await expect(disk.realPath(at('x', 'b'))).rejects.toMatchObject({ code: 'ENOENT' });
    });

    it('renames over what was there, into another folder too, and an open file goes along', async () => {
      await disk.makeFolder(at('x'));
      await put(disk, at('a'), [text('new')]);
      await put(disk, at('x', 'b'), [text('old')]);
      const open = await disk.open(at('a'), 'append');
      await disk.rename(at('a'), at('x', 'b'));
      await open.write([text('er')]);
      await open.close();
      expect(await read(disk, at('x', 'b'))).toBe('newer');
      expect(await disk.exists(at('a'))).toBe(false);
      await disk.rename(at('x'), at('y'));
      expect(await disk.list(at('y'))).toEqual(['b']);
    });

    it('removes files, folders with all that is in them, and what is not there', async () => {
      await disk.makeFolder(at('x', 'y'));
      await put(disk, at('x', 'y', 'z'), [text('1')]);
      await put(disk, at('a'), [text('1')]);
      await disk.remove(at('a'));
      await disk.remove(at('x'));
      await disk.remove(at('nothing'));
      expect(await disk.list(at())).toEqual([]);
    });

    it('says what it could not find, and what is in the way', async () => {
      await put(disk, at('a'), [text('1')]);
      await disk.makeFolder(at('x', 'y'));
      const codes = await Promise.all(
        [
          disk.open(at('none'), 'read'),
          disk.open(at('none', 'a'), 'new'),
          disk.readFile(at('none')),
          disk.list(at('none')),
          disk.rename(at('none'), at('b')),
          disk.syncFolder(at('none')),
          disk.open(at('a', 'b'), 'append'),
          disk.makeFolder(at('a', 'b')),
          disk.list(at('a')),
          disk.makeFolder(at('a')),
          disk.readFile(at('x')),
          disk.open(at('x'), 'append'),
          disk.rename(at('a'), at('x')),
          disk.rename(at('x', 'y'), at('a')),
        ].map((trial) => trial.then(String, (error: NodeJS.ErrnoException) => error.code)),
      );
      expect(codes).toEqual([
        ...Array(6).fill('ENOENT'),
        ...Array(3).fill('ENOTDIR'),
        'EEXIST',
        ...Array(3).fill('EISDIR'),
        'ENOTDIR',
      ]);
    });

    it('has room, and names that were never given', async () => {
      expect(await disk.freeBytes(at())).toBeGreaterThan(0);
      const names = Array.from({ length: 100 }, () => disk.freshName());
      expect(new Set(names).size).toBe(100);
      expect(names.join('')).toMatch(/^[a-z0-9-]+$/);
    });
  });
}

const text = (characters: string): Uint8Array => Buffer.from(characters);

async function put(disk: Disk, path: string, parts: readonly Uint8Array[]): Promise<void> {
  const file = await disk.open(path, 'new');
  await file.write(parts);
  await file.close();
}

async function read(disk: Disk, path: string): Promise<string> {
  return (await disk.readFile(path)).toString();
}
