import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { float32 } from '../tensor/tensor';
import { siteStateStore } from './site-store';
import { noteStateFile, writeStateFile } from './state-file';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'consilium-site-'));
});
afterEach(() => rm(folder, { recursive: true }));

let warnings: string[];
beforeEach(() => {
  warnings = [];
});

const write = async (path: string, parts: readonly Uint8Array[], superseded: string | undefined) => {
  await writeStateFile(path, parts);
  await noteStateFile(path, superseded);
};
const open = () => siteStateStore(folder, write, { warn: (message) => warnings.push(message) });
const state = (round: number) => new Map([['w', float32([1], [round])]]);
const roundOf = async (before: number) => (await open().load(before))?.get('w')?.data[0];
const kept = async () => {
  const names = await readdir(join(folder, 'state'));
  return names.filter((name) => name.endsWith('.safetensors')).map((name) => Number(/\d+/.exec(name)));
};

it('keeps the states of the last four rounds', async () => {
  const store = open();
  for (const round of [0, 1, 2, 3, 4, 5]) await store.save(round, state(round));
  expect(await kept()).toEqual([2, 3, 4, 5]);
  await open().save(6, state(6));
  expect(await kept()).toEqual([3, 4, 5, 6]);
});

it('of a site that trains now and then, keeps what a repeated round may need, and no more than four', async () => {
  const store = open();
  for (const round of [0, 5, 6, 20, 21, 40, 41, 42, 43]) {
    await store.save(round, state(round));
    expect((await kept()).length).toBeLessThanOrEqual(4);
    const needed = [0, 5, 6, 20, 21, 40, 41, 42, 43].filter((one) => one <= Math.max(0, round - 3)).at(-1);
    expect(await roundOf(Math.max(0, round - 3))).toBe(needed);
  }
});

describe('a state that is', () => {
  const stateOf = (round: number) => join(folder, 'state', `round-${String(round).padStart(6, '0')}.safetensors`);
  beforeEach(async () => {
    for (const round of [0, 1, 2]) await open().save(round, state(round));
  });

  it.each<[string, (file: string) => Promise<void>]>([
    [
      'wrong in one bit',
      async (file) => {
        const bytes = await readFile(file);
        bytes[bytes.length - 1]! ^= 1;
        await writeFile(file, bytes);
      },
    ],
    ['cut short', (file) => truncate(file, 50)],
    ['lost', (file) => rm(file)],
  ])('%s gives way to the one before, loudly; without one before, training is refused', async (_, damage) => {
    await damage(stateOf(2));
    expect(await roundOf(2)).toBe(1);
    expect(warnings).toEqual([expect.stringMatching(/round-000002\.safetensors' cannot be used.*state after round 1/)]);
    expect(await roundOf(1)).toBe(1);
    expect(warnings).toHaveLength(1);
    await damage(stateOf(1));
    await damage(stateOf(0));
    await expect(open().load(2)).rejects.toMatchObject({ tag: 'DataError', hint: expect.stringContaining('copy') });
  });

  it('written again after it was lost is whole again', async () => {
    await rm(stateOf(2));
    await open().save(2, state(2));
    expect(await roundOf(2)).toBe(2);
    expect(warnings).toEqual([]);
  });
});
