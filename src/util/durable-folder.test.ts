import { describe, expect, it } from 'vitest';
import { quickDisk, runUntil } from '../../test/support/sim/crash';
import { appendLine, writeFileAtomic } from './atomic-file';
import type { Disk } from './disk';
import { durableFolder } from './durable-folder';

/** Files in new folders, several at one time. */
async function writeSome(disk: Disk, acknowledged: Set<string>): Promise<void> {
  const write = async (path: string) => {
    await writeFileAtomic(path, 'x', { disk });
    acknowledged.add(path);
  };
  await Promise.all([write('/run/updates/3/a'), write('/run/updates/3/b'), write('/run/updates/4/a')]);
  await appendLine('/run/privacy/ledger', 'line', { durable: true, disk });
  acknowledged.add('/run/privacy/ledger');
}

const writeAll =
  (acknowledged = new Set<string>()) =>
  (disk: Disk) =>
    writeSome(disk, acknowledged);

describe('what was written as durable in new folders', () => {
  it('is there after a power cut at any operation', async () => {
    const { operations } = await runUntil(undefined, writeAll());
    expect(operations.length).toBeGreaterThan(30);
    for (const { number: at } of operations) {
      const acknowledged = new Set<string>();
      const crash = { at, how: 'power cut', remains: 'nothing' } as const;
      const { sim } = await runUntil(crash, writeAll(acknowledged));
      for (const path of acknowledged) expect([...sim.files().keys()], `cut at ${at}`).toContain(path);
    }
  });

  it('is there after a power cut although a killed process had made the folders and not flushed them', async () => {
    const { operations } = await runUntil(undefined, writeAll());
    for (const { number: at } of operations) {
      const { sim } = await runUntil({ at, how: 'kill' }, writeAll());
      await writeFileAtomic('/run/updates/3/c', 'x', { disk: sim.mount() });
      sim.powerCut('nothing');
      expect([...sim.files().keys()], `killed at ${at}`).toContain('/run/updates/3/c');
    }
  });

  it('needs no flush of folders that are known: a second file costs its own operations only', async () => {
    const { operations } = await runUntil(undefined, async (disk) => {
      await writeFileAtomic('/run/a', 'x', { disk });
      await writeFileAtomic('/run/b', 'x', { disk });
    });
    const own = ['open', 'write', 'sync', 'close', 'rename', 'syncFolder'];
    expect(operations.slice(-6).map(({ kind }) => kind)).toEqual(own);
    expect(operations.slice(0, -6).map(({ kind }) => kind)).toEqual([
      'list',
      'list',
      'makeFolder',
      'syncFolder',
      ...own,
    ]);
  });
});

it('makes a folder anew that was removed meanwhile, durable again', async () => {
  const sim = quickDisk(1);
  const disk = sim.mount();
  await writeFileAtomic('/run/updates/3/a', 'x', { disk });
  await disk.remove('/run');
  await writeFileAtomic('/run/updates/3/b', 'x', { disk });
  sim.powerCut('nothing');
  expect([...sim.files().keys()]).toEqual(['/run/updates/3/b']);
});

it('leaves a folder alone that this user may not look into', async () => {
  const sim = quickDisk(1, { files: new Map([['/home/me/a', Buffer.from('x')]]) });
  sim.faults.fail = ({ kind, path }) => (path === '/home' && kind !== 'makeFolder' ? 'EACCES' : undefined);
  const disk = sim.mount();
  await durableFolder('/home/run', disk);
  expect(await disk.exists('/home/run')).toBe(true);
});
