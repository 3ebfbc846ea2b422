import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
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
