import { beforeEach, describe, expect, it } from 'vitest';
import { testDisk } from '../../conformance/disk';
import { quickDisk } from './crash';
import type { DiskOperation, SimDisk } from './disk';

testDisk('the simulated disk', async () => {
  const disk = quickDisk(1).mount();
  await disk.makeFolder('/work');
  return { disk, folder: '/work' };
});

let sim: SimDisk;
beforeEach(() => {
  sim = quickDisk(1);
});

const text = (characters: string) => Buffer.from(characters);
const textsOf = (disk: SimDisk) => Object.fromEntries([...disk.files()].map(([path, bytes]) => [path, String(bytes)]));

async function put(path: string, bytes: Uint8Array, { sync = true } = {}): Promise<void> {
  const file = await sim.mount().open(path, 'append');
  await file.write([bytes]);
  if (sync) await file.sync();
  await file.close();
}

describe('a power cut', () => {
  it('takes bytes that were not flushed, and leaves those that were', async () => {
    await put('/a', text('one '));
    await sim.mount().syncFolder('/');
    await put('/a', text('two'), { sync: false });
    expect(textsOf(sim)).toEqual({ '/a': 'one two' });
    sim.powerCut('nothing');
    expect(textsOf(sim)).toEqual({ '/a': 'one ' });
  });

  it('takes a name that was not flushed, although the bytes were', async () => {
    await put('/a', text('1'));
    sim.powerCut('nothing');
    expect(textsOf(sim)).toEqual({});
  });

  it('takes a folder that was not flushed, with all that is in it', async () => {
    const disk = sim.mount();
    await disk.makeFolder('/x/y');
    await put('/x/y/z', text('1'));
    await disk.syncFolder('/x/y');
    await disk.syncFolder('/x');
    sim.powerCut('nothing');
    expect(await sim.mount().list('/')).toEqual([]);
  });

  it('brings a renamed, a replaced and a removed file back that were not flushed, and never half of it', async () => {
    const disk = sim.mount();
    for (const name of ['/a', '/b', '/c']) await put(name, text(name));
    await disk.syncFolder('/');
    await disk.rename('/a', '/b');
    await disk.remove('/c');
    const before = { '/a': '/a', '/b': '/b', '/c': '/c' };
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 64; seed++) {
      const after = await cutAfter(seed, async (disk) => {
        await disk.rename('/a', '/b');
        await disk.remove('/c');
      });
      outcomes.add(JSON.stringify(after));
    }
    const { '/c': _, ...withoutC } = before;
    expect([...outcomes].sort()).toEqual(
      [before, withoutC, { '/b': '/a', '/c': '/c' }, { '/b': '/a' }].map((one) => JSON.stringify(one)).sort(),
    );

    async function cutAfter(seed: number, act: (disk: ReturnType<SimDisk['mount']>) => Promise<void>) {
      const other = quickDisk(seed, { files: new Map(Object.entries(before).map(([name, of]) => [name, text(of)])) });
      await act(other.mount());
      other.powerCut('some');
      return textsOf(other);
    }
  });

  it('moves a file from folder to folder as a whole or not at all, and keeps it once the new folder was flushed', async () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 64; seed++) {
      const other = quickDisk(seed, {
        files: new Map([
          ['/x/a', text('1')],
          ['/y/b', text('2')],
        ]),
      });
      const disk = other.mount();
      await disk.rename('/x/a', '/y/a');
      await disk.syncFolder(seed % 2 ? '/y' : '/x');
      other.powerCut('some');
      outcomes.add(`${seed % 2 ? 'new' : 'old'} ${[...other.files().keys()]}`);
    }
    expect([...outcomes].sort()).toEqual(['new /y/a,/y/b', 'old /x/a,/y/b', 'old /y/a,/y/b']);
  });

  it('tears what was being written at the sectors, in any order, and never what was flushed', async () => {
    const found = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const other = quickDisk(seed, { files: new Map([['/a', Buffer.alloc(700, 'o')]]) });
      const file = await other.mount().open('/a', 'update');
      await file.write([Buffer.alloc(1400, 'n')], 300);
      other.powerCut('some');
      const bytes = other.files().get('/a')!;
      expect(bytes.subarray(0, 300).toString()).toBe('o'.repeat(300));
      found.add([300, 511, 512, 699, 1023, 1024, 1535, 1536, 1699].map((at) => shown(bytes[at])).join(''));
    }
    // Sectors of 512 bytes: [300, 512), [512, 1024), [1024, 1536), [1536, 1700).
    expect(found.size).toBe(16);
    expect([...found].every((one) => /^(oo|nn)(oo[0-]|nnn)(00|nn|--)(nn|--)$/.test(one))).toBe(true);

    function shown(byte: number | undefined): string {
      if (byte === undefined) return '-';
      return byte === 0 ? '0' : String.fromCharCode(byte);
    }
  });

  it('can leave everything, as a disk that happened to be quick', async () => {
    await put('/x', text('1'), { sync: false });
    sim.powerCut('everything');
    expect(textsOf(sim)).toEqual({ '/x': '1' });
  });
});

describe('a killed process', () => {
  it('leaves what it wrote to the next, flushed or not', async () => {
    const disk = sim.mount();
    const file = await disk.open('/a', 'new');
    await file.write([text('1')]);
    disk.kill();
    expect(textsOf(sim)).toEqual({ '/a': '1' });
  });

  it('is never answered; what it had asked for may have happened, in part, or not', async () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 100; seed++) {
      const other = quickDisk(seed, { files: new Map([['/a', text('0')]]) });
      const disk = other.mount();
      const file = await disk.open('/a', 'append');
      let answered = false;
      file.write([text('12')]).finally(() => {
        answered = true;
      });
      disk.kill();
      disk.exists('/a').finally(() => {
        answered = true;
      });
      await other.mount().exists('/a');
      expect(answered).toBe(false);
      outcomes.add(textsOf(other)['/a']!);
    }
    expect([...outcomes].sort()).toEqual(['0', '01', '012']);
  });

  it('lets another process on the same disk go on', async () => {
    const [one, other] = [sim.mount(), sim.mount()];
    one.kill();
    await other.makeFolder('/x');
    expect(await other.exists('/x')).toBe(true);
  });
});

describe('faults', () => {
  it('a full disk takes what fits, says so, and has room again when something is removed', async () => {
    await put('/a', Buffer.alloc(60));
    sim.faults.quotaBytes = 100;
    const disk = sim.mount();
    expect(await disk.freeBytes('/')).toBe(40);
    const file = await disk.open('/b', 'new');
    await expect(file.write([Buffer.alloc(50)])).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(await file.size()).toBe(40);
    await disk.remove('/a');
    await file.write([Buffer.alloc(60)]);
    expect(await disk.freeBytes('/')).toBe(0);
    await file.write([Buffer.alloc(10)], 0); // Nothing grows.
  });

  it('a flush that failed has lost what it was to write, although later ones succeed', async () => {
    await put('/a', text('kept '));
    await sim.mount().syncFolder('/');
    const file = await sim.mount().open('/a', 'append');
    await file.write([text('lost ')]);
    sim.faults.fail = ({ kind }) => (kind === 'sync' ? 'EIO' : undefined);
    await expect(file.sync()).rejects.toMatchObject({ code: 'EIO' });
    sim.faults.fail = undefined;
    await file.write([text('later')]);
    await file.sync();
    expect(textsOf(sim)).toEqual({ '/a': 'kept lost later' });
    sim.powerCut('everything');
    expect(textsOf(sim)).toEqual({ '/a': 'kept \0\0\0\0\0later' });
  });

  it('any operation fails when it is told to, and then has no effect; a write may have half of it', async () => {
    sim.faults.fail = ({ kind }) => (kind === 'rename' ? 'EIO' : undefined);
    await put('/a', text('1'));
    const disk = sim.mount();
    await expect(disk.rename('/a', '/b')).rejects.toMatchObject({ code: 'EIO' });
    expect(await disk.exists('/a')).toBe(true);
    const sizes = new Set<number>();
    sim.faults.fail = ({ kind }) => (kind === 'write' ? 'EIO' : undefined);
    for (let i = 0; i < 60; i++) {
      const file = await disk.open(`/file-${i}`, 'new');
      await expect(file.write([text('abcd')])).rejects.toMatchObject({ code: 'EIO' });
      sizes.add(await file.size());
    }
    expect([...sizes].sort()).toEqual([0, 1, 2, 3, 4]);
  });

  it('a reading may have one wrong bit, and the next is right', async () => {
    await put('/a', Buffer.alloc(100));
    sim.faults.flip = ({ kind }) => kind === 'readFile';
    const ones = (bytes: Uint8Array) =>
      bytes.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0);
    const disk = sim.mount();
    expect(ones(await disk.readFile('/a'))).toBe(1);
    sim.faults.flip = undefined;
    expect(ones(await disk.readFile('/a'))).toBe(0);
  });

  it('a damaged file stays damaged, a lost one lost', async () => {
    await put('/a', text('abc'));
    await put('/b', text('abc'));
    await sim.mount().syncFolder('/');
    sim.damage('/a', (bytes) => bytes.subarray(0, 1));
    sim.lose('/b');
    sim.powerCut('nothing');
    expect(textsOf(sim)).toEqual({ '/a': 'a' });
  });
});

describe('its time and its order', () => {
  it('each operation takes the time that it is given on the clock that was passed in', async () => {
    const waits: number[] = [];
    const clock = {
      after(ms: number, act: () => void) {
        waits.push(ms);
        setImmediate(act);
      },
    };
    sim = quickDisk(1, { clock });
    sim.faults.latencyMs = ({ kind }) => (kind === 'sync' ? 5000 : 1);
    await put('/a', text('1'));
    expect(waits).toEqual([1, 1, 5000, 1]);
  });

  it('can be cut before and after every operation, by whoever listens', async () => {
    const seen: string[] = [];
    let cutAt = Number.POSITIVE_INFINITY;
    const onOperation = ({ number, kind, path }: DiskOperation, when: string) => {
      seen.push(`${number} ${kind} ${path} ${when}`);
      if (number === cutAt && when === 'after') sim.powerCut('nothing');
    };
    sim = quickDisk(1, { onOperation });
    const disk = sim.mount();
    await disk.makeFolder('/x');
    await disk.syncFolder('/');
    expect(seen).toEqual([
      '1 makeFolder /x before',
      '1 makeFolder /x after',
      '2 syncFolder / before',
      '2 syncFolder / after',
    ]);
    cutAt = 3;
    const never = await Promise.race([
      disk.remove('/x').then(() => 'answered'),
      new Promise((resolve) => setImmediate(() => setImmediate(() => resolve('never answered')))),
    ]);
    expect(never).toBe('never answered');
    expect(await sim.mount().exists('/x')).toBe(true); // The removal was not flushed.
  });

  it('the same seed gives the same disk after the same crash, another seed another', async () => {
    const crashed = async (seed: number) => {
      const other = quickDisk(seed);
      const disk = other.mount();
      const files = await Promise.all(['/a', '/b', '/c', '/d'].map((path) => disk.open(path, 'new')));
      await Promise.all(files.map((file) => file.write([Buffer.alloc(3000, 1)])));
      await disk.syncFolder('/');
      other.powerCut('some');
      return JSON.stringify([...other.files()]);
    };
    expect(await crashed(7)).toBe(await crashed(7));
    expect(new Set(await Promise.all([1, 2, 3, 4, 5].map(crashed))).size).toBe(5);
  });
});
