import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { quickDisk } from '../../test/support/sim/crash';
import type { DiskOperation } from '../../test/support/sim/disk';
import type { Task, Update } from '../protocol/messages';
import { updateFileParts } from '../protocol/update-file';
import { float32, type NamedTensors } from '../tensor/tensor';
import type { Disk } from '../util/disk';
import { sha256Of } from '../util/sha256';
import type { Participation } from '../workflows/workflow';
import { modelDigest } from './model-digest';
import { isWorthKeeping, type JournalFiles, type RoundJournalOptions, roundJournal } from './round-journal';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'consilium-journal-'));
});
afterEach(() => rm(folder, { recursive: true }));

const model: NamedTensors = new Map([['w', float32([2], [1, 2])]]);
const cost = { mechanism: 'svt', differentiallyPrivate: true, epsilon: 0.1, delta: 0, unit: 'update', details: {} };

function update(site: string, trainSeconds: number, change: Partial<Update> = {}, length = 2): Update {
  const tensors: NamedTensors = new Map([['w', float32([length], new Float32Array(length))]]);
  return {
    site,
    round: 3,
    task: 'train',
    payload: { kind: 'weight-diff', tensors, metrics: {}, steps: 1 },
    privacy: [],
    seconds: { validate: 0, train: trainSeconds, other: 0 },
    ...change,
  };
}

async function accepted(sites: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for await (const { site } of roundJournal(folder).accepted(3, model, sites)) found.push(site);
  return found;
}

describe('an update is worth keeping', () => {
  it('when it took longer than a disk takes', () => {
    expect(isWorthKeeping(update('a', 0.01))).toBe(false);
    expect(isWorthKeeping(update('a', 0.03))).toBe(true);
    const megabytes = (count: number) => (count * 1e6) / 4;
    expect(isWorthKeeping(update('a', 1, {}, megabytes(100)))).toBe(false);
    expect(isWorthKeeping(update('a', 3, {}, megabytes(100)))).toBe(true);
  });

  it('always when privacy was spent on it', () => {
    expect(isWorthKeeping(update('a', 0, { privacy: [cost] }))).toBe(true);
  });

  it('always when it holds statistics, which would leave again with fresh noise', () => {
    const { payload } = update('a', 0);
    expect(isWorthKeeping(update('a', 0, { payload: { ...payload, kind: 'statistics' } }))).toBe(true);
  });
});

describe('the journal', () => {
  it('forgets a round once that is closed', async () => {
    const journal = roundJournal(folder);
    await journal.record(update('site-1', 60), model);
    await journal.close(3);
    await expect.poll(() => accepted(['site-1'])).toEqual(['site-1']);
    await journal.close(4);
    expect(existsSync(join(folder, '3'))).toBe(false);
  });

  it('gives updates in the order of the sites, and those of no other site', async () => {
    const journal = roundJournal(folder);
    for (const site of ['site-10', 'site-2', 'site-1', 'other']) await journal.record(update(site, 60), model);
    await expect.poll(() => accepted(['site-1', 'site-2', 'site-10'])).toEqual(['site-1', 'site-2', 'site-10']);
    expect(await accepted(['site-10', 'site-1'])).toEqual(['site-10', 'site-1']);
  });

  it('keeps what a site answers to one task for several models in a round', async () => {
    const journal = roundJournal(folder);
    const other = new Map([['w', float32([1], [9])]]);
    await journal.record(update('a', 60), model);
    await journal.record(update('a', 60), other);
    const of = async (one: NamedTensors) => {
      let count = 0;
      for await (const _ of journal.accepted(3, one, ['a'])) count++;
      return count;
    };
    await expect.poll(async () => [await of(model), await of(other)]).toEqual([1, 1]);
  });

  it('lets the next update wait while too much is on its way to the disk', async () => {
    const journal = roundJournal(folder);
    const large = (site: string) => update(site, 60, {}, 10 * 2 ** 20);
    await journal.record(large('a'), model);
    await journal.record(large('b'), model); // 80 MiB are under way: it waits for its own.
    expect((await readdir(join(folder, '3'))).filter((name) => name.startsWith('b.train.'))).toHaveLength(1);
    await journal.close(4);
  });
});

describe('a journal that keeps all', () => {
  const of = async (journal: JournalFiles, on: NamedTensors = model) => {
    const found: Update[] = [];
    for await (const one of journal.accepted(3, on, ['a', 'b', 'c'])) found.push(one);
    return found;
  };
  const journalOn = (disk: Disk, more: Partial<RoundJournalOptions> = {}) =>
    roundJournal('/run/updates', { disk, keepAll: true, ...more });
  const task: Task = { kind: 'train', round: 3, model, settings: { bins: 3 } };

  it('has an update on disk, names and all, once record resolves: also one that took no time', async () => {
    const sim = quickDisk(1);
    const journal = journalOn(sim.mount());
    expect(journal.keeps!(update('a', 0))).toBe(true);
    await journal.record(update('a', 0), model);
    sim.powerCut('nothing');
    expect(await of(journalOn(sim.mount()))).toEqual([update('a', 0)]);
  });

  it('rejects when the update cannot be kept, naming the path, and keeps it when there is room again', async () => {
    const sim = quickDisk(1);
    const journal = journalOn(sim.mount());
    sim.faults.quotaBytes = 100;
    await expect(journal.record(update('a', 0), model)).rejects.toMatchObject({
      tag: 'WorkspaceError',
      message: expect.stringMatching(/'\/run\/updates\/3\/a\.train\..*the disk is full \(ENOSPC\)/),
    });
    expect(await of(journalOn(sim.mount()))).toEqual([]);
    sim.faults.quotaBytes = undefined;
    await journal.record(update('a', 0), model);
    await journal.close(3);
    expect(await of(journalOn(sim.mount()))).toEqual([update('a', 0)]);
  });

  it('takes a spooled file over: the same bytes, moved, not written again', async () => {
    const { sim, journal, spooled, operations } = await withSpooled();
    await journal.record(update('a', 0), model, { spooled });
    expect(operations.map(({ kind }) => kind)).not.toContain('write');
    expect([...sim.files().keys()]).toEqual([expect.stringMatching(/^\/run\/updates\/3\/a\.train\./)]);
    expect(await of(journal)).toEqual([update('a', 0)]);
    sim.powerCut('nothing');
    expect(await of(journalOn(sim.mount()))).toEqual([update('a', 0)]);
  });

  it('does not take over a file that is not there, or that is not named by its hash', async () => {
    const { journal, spooled } = await withSpooled();
    await expect(journal.record(update('a', 0), model, { spooled: `${spooled}x` })).rejects.toMatchObject({
      tag: 'InternalError',
    });
    const nowhere = `/run/spool/${'0'.repeat(64)}`;
    await expect(journal.record(update('a', 0), model, { spooled: nowhere })).rejects.toMatchObject({
      tag: 'WorkspaceError',
      message: expect.stringContaining('ENOENT'),
    });
    expect(await of(journal)).toEqual([]);
  });

  it('reads an update again, also one that is still on its way to the disk', async () => {
    const journal = journalOn(quickDisk(1).mount());
    const recorded = journal.record(update('a', 0), model);
    const { release, ...again } = await journal.reload!(update('a', 0), model);
    expect(again).toEqual(update('a', 0));
    expect(release).toBeTypeOf('function');
    await recorded;
    await expect(journal.reload!(update('b', 0), model)).rejects.toMatchObject({ tag: 'InternalError' });
  });

  it('passes a damaged update over where somebody is told, and gives the one that comes in its place', async () => {
    const sim = quickDisk(1);
    await journalOn(sim.mount()).record(update('a', 1), model);
    await journalOn(sim.mount()).record(update('b', 1), model);
    const damaged = [...sim.files().keys()].find((path) => path.includes('/a.'))!;
    sim.damage(damaged, (bytes) => bytes.fill(1, bytes.length - 1));
    await expect(of(journalOn(sim.mount()))).rejects.toMatchObject({ tag: 'DataError' });
    const warnings: string[] = [];
    const journal = journalOn(sim.mount(), { warn: (message) => warnings.push(message) });
    expect((await of(journal)).map(({ site }) => site)).toEqual(['b']);
    expect(warnings).toEqual([expect.stringMatching(/\/a\.train.*not whole.*asked again/)]);
    await journal.record(update('a', 2), model);
    expect(await of(journal)).toEqual([update('a', 2), update('b', 1)]);
  });

  it('gives each update once, whatever lies there', async () => {
    const sim = quickDisk(1);
    await journalOn(sim.mount()).record(update('a', 1), model);
    await journalOn(sim.mount()).record(update('a', 2), model);
    expect(await of(journalOn(sim.mount()))).toHaveLength(1);
  });

  it('keeps tasks of any name apart', async () => {
    const journal = journalOn(quickDisk(1).mount());
    const kinds = ['me/score', 'me/rank', '../../x', 'train'];
    for (const kind of kinds) await journal.record(update('a', 0, { task: kind }), model);
    expect((await of(journal)).map((one) => one.task).sort()).toEqual([...kinds].sort());
  });

  describe('knows who took part', () => {
    const ok = (site: string): Participation => {
      const { payload, ...rest } = update(site, 0, { privacy: [{ ...cost, epsilon: Number.POSITIVE_INFINITY }] });
      return { site, status: 'ok', update: { ...rest, metrics: { val_dice: null }, steps: payload.steps } };
    };
    const late: Participation = { site: 'b', status: 'late', reason: 'no answer within 5 s' };

    const refused: Participation = { site: 'c', status: 'rejected', reason: 'not finite', spent: [cost] };

    it('once that was concluded, after a power cut, of this very task only', async () => {
      const sim = quickDisk(1);
      const journal = journalOn(sim.mount());
      await journal.record(update('a', 0), model);
      expect(await journal.concluded!(task)).toBeUndefined();
      await journal.conclude!(task, [ok('a'), late, refused]);
      sim.powerCut('nothing');
      const later = journalOn(sim.mount());
      await of(later);
      expect(await later.concluded!(task)).toEqual([ok('a'), late, refused]);
      expect(await later.concluded!({ ...task, settings: { bins: 4 } })).toBeUndefined();
      expect(await later.concluded!({ ...task, model: new Map([['w', float32([1], [9])]]) })).toBeUndefined();
      await later.close(4);
      expect(await later.concluded!(task)).toBeUndefined();
    });

    it('and refuses to go on when an update that was counted is missing, or the record of it is damaged', async () => {
      const sim = quickDisk(1);
      const journal = journalOn(sim.mount());
      for (const site of ['a', 'c']) await journal.record(update(site, 0), model);
      await journal.conclude!(task, [ok('a'), late, ok('c')]);
      const paths = [...sim.files().keys()];
      const without = (part: string) => {
        const files = new Map([...sim.files()].filter(([path]) => !path.includes(part)));
        return quickDisk(2, { files }).mount();
      };
      const missing = journalOn(without('/c.'));
      await of(missing);
      await expect(missing.concluded!(task)).rejects.toMatchObject({
        tag: 'DataError',
        message: expect.stringContaining('the update of c'),
        hint: expect.stringContaining('copy'),
      });
      sim.damage(paths.find((path) => path.endsWith('.json'))!, (bytes) =>
        Buffer.from(String(bytes).replace('late', 'Late')),
      );
      const damaged = journalOn(sim.mount());
      await of(damaged);
      await expect(damaged.concluded!(task)).rejects.toThrow('its checksum differs');
    });
  });

  /** A journal, and the update of site `a` in a file of its own beside it. */
  async function withSpooled() {
    const parts = updateFileParts(update('a', 0), modelDigest(model));
    const spooled = `/run/spool/${sha256Of(...parts)}`;
    const operations: DiskOperation[] = [];
    const sim = quickDisk(1, {
      files: new Map([[spooled, Buffer.concat(parts)]]),
      onOperation: (operation, when) => void (when === 'before' && operations.push(operation)),
    });
    return { sim, spooled, operations, journal: journalOn(sim.mount()) };
  }
});
