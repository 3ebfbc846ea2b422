import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Update } from '../protocol/messages';
import { float32, type NamedTensors } from '../tensor/tensor';
import { isWorthKeeping, roundJournal } from './round-journal';

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
