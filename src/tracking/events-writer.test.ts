import { appendFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openEvents, readScalars } from './events-writer';

const clock = () => 1_700_000_000_500;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'events-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('reads what the writer of PyTorch wrote', async () => {
  const bytes = await readFile(join(__dirname, '../../test/golden/tensorboard/events.out.tfevents.torch'));
  expect(readScalars(bytes)).toEqual([
    ...[0, 1, 2].map((step) => ({
      tag: 'val_metric_global_model',
      value: 0.25 * step,
      step,
      wallTime: 1_700_000_000.5 + step,
    })),
    { tag: 'train_loss', value: 0.75, step: 2 ** 33, wallTime: 1_700_000_010 },
  ]);
});

test('writes points in the order of the calls, in a file that TensorBoard finds by its name', async () => {
  const events = await openEvents(folder, { name: 'site-1', clock });
  const second = [
    { tag: 'b', value: 0, step: 7, wallTime: 12.25 },
    { tag: 'a', value: 0.25, step: 2 ** 33 },
  ];
  await Promise.all([events.add([{ tag: 'a', value: 0.5, step: 0 }]), events.add(second)]);
  expect(await readdir(folder)).toEqual(['events.out.tfevents.1700000000.site-1']);
  expect(readScalars(await readFile(events.file))).toEqual([
    { tag: 'a', value: 0.5, step: 0, wallTime: 1_700_000_000.5 },
    { tag: 'b', value: 0, step: 7, wallTime: 12.25 },
    { tag: 'a', value: 0.25, step: 2 ** 33, wallTime: 1_700_000_000.5 },
  ]);
});

test('the same points and clock give the same bytes', async () => {
  const files = await Promise.all(
    ['x', 'y'].map(async (name) => {
      const events = await openEvents(join(folder, name), { name: 'site-1', clock });
      await events.add([{ tag: 'train_loss', value: 0.7, step: 3 }]);
      return readFile(events.file);
    }),
  );
  expect(files[0]).toEqual(files[1]);
});

test('continues the same file after the last whole record', async () => {
  const first = await openEvents(folder, { name: 'site-1', clock });
  await first.add([{ tag: 'a', value: 1, step: 0 }]);
  await appendFile(first.file, Uint8Array.of(20, 0, 0, 0));
  const second = await openEvents(folder, { name: 'site-1', clock: () => clock() + 60_000 });
  await second.add([{ tag: 'a', value: 2, step: 1 }]);
  expect(second.file).toBe(first.file);
  expect(readScalars(await readFile(first.file)).map(({ value }) => value)).toEqual([1, 2]);
});

test('begins anew when told', async () => {
  const point = { tag: 'a', value: 1, step: 0 };
  await (await openEvents(folder, { name: 'site-1', clock })).add([point]);
  const anew = await openEvents(folder, { name: 'site-1', clock: () => clock() + 60_000, restart: true });
  await anew.add([point]);
  expect(await readdir(folder)).toEqual(['events.out.tfevents.1700000060.site-1']);
});

test('says which folder cannot be written', async () => {
  await expect(openEvents('/dev/null/x', { name: 'site-1', clock })).rejects.toMatchObject({
    tag: 'WorkspaceError',
    message: expect.stringContaining("'/dev/null/x'"),
  });
});
