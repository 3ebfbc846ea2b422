import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { quickDisk } from '../../test/support/sim/crash';
import type { Update } from '../protocol/messages';
import { float32, type NamedTensors } from '../tensor/tensor';
import { type Checkpoint, type CheckpointStore, checkpointStore } from './checkpoint';
import { lineOf } from './round-line';
import { RunHistory } from './run-history';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'consilium-'));
});
afterEach(() => rm(folder, { recursive: true }));

const warn = () => {};
const model = (value: number): NamedTensors => new Map([['w', float32([2], [value, -value])]]);
const line = (round: number) => ({ round, metrics: { val_dice: 0.5 }, sites: [], seconds: 1, time: 'now' });
const finished = (round: number): Checkpoint => ({
  jobHash: 'h',
  round,
  model: model(round),
  memory: new Map(),
  best: { round: 1, value: 0.5, model: async () => model(1) },
  history: RunHistory.of(Array.from({ length: round }, (_, i) => line(i))),
});
/** With its best model and its lines in place of where they can be had. */
const whole = async (checkpoint: Checkpoint | undefined) =>
  checkpoint && {
    ...checkpoint,
    best: { ...checkpoint.best, model: await checkpoint.best?.model() },
    history: checkpoint.history.lines(),
  };
const update = (site: string, round: number, epsilon = 1): Update => ({
  site,
  round,
  task: 'train',
  payload: { kind: 'weight-diff', tensors: model(3), metrics: { val_dice: null, train_loss: 0.1 }, steps: 6 },
  privacy: [{ mechanism: 'svt', differentiallyPrivate: true, epsilon, delta: 0, unit: 'update', details: {} }],
  seconds: { validate: 1, train: 2, other: 0 },
});

async function accepted(store: CheckpointStore, round: number, of: NamedTensors, sites = ['site-1', 'site-2']) {
  const found: Update[] = [];
  for await (const one of store.journal.accepted(round, of, sites)) found.push(one);
  return found;
}

describe('a checkpoint', () => {
  it('is undefined before the first round', async () => {
    expect(await checkpointStore(folder).load(warn)).toBeUndefined();
  });

  it('comes back as it was saved', async () => {
    const store = checkpointStore(folder);
    await store.save(finished(2));
    expect(await whole(await store.load(warn))).toEqual(await whole(finished(2)));
  });

  it('comes back whatever a site has said of its costs and its failure', async () => {
    const cost = { mechanism: 'Infinity', differentiallyPrivate: true, epsilon: 1, delta: 0, unit: '-Infinity' };
    const privacy = [
      { ...cost, delta: Number.POSITIVE_INFINITY, details: { floor: Number.NEGATIVE_INFINITY, '~': 1e308 } },
      { ...cost, epsilon: Number.POSITIVE_INFINITY, details: {} },
    ];
    const sites = [
      { site: 'site-1', status: 'ok' as const, update: { ...update('site-1', 0), privacy, metrics: {}, steps: 3 } },
      { site: 'site-2', status: 'failed' as const, reason: 'Infinity' },
    ];
    const state = { round: 1, model: model(1), memory: new Map() };
    const report = { evaluated: 'before' as const, round: 0, final: false, metrics: {}, sites, state };
    const checkpoint = { ...finished(1), history: RunHistory.of([lineOf(report, 1, new Date(0), RunHistory.empty)]) };
    const store = checkpointStore(folder);
    await store.save(checkpoint);
    expect(await whole(await store.load(warn))).toEqual(await whole(checkpoint));
  });

  it('keeps the last two models and the best one, and no more', async () => {
    const store = checkpointStore(folder);
    for (const round of [1, 2, 3, 4]) await store.save(finished(round));
    const models = (await readdir(folder)).filter((name) => name.endsWith('.safetensors'));
    expect(models.sort()).toEqual(['model-1.safetensors', 'model-3.safetensors', 'model-4.safetensors']);
  });

  it('gives the best model back from where it lies', async () => {
    const saved = await checkpointStore(folder).save(finished(2));
    expect(await saved.best?.model()).toEqual(model(1));
    await writeFile(join(folder, 'model-1.safetensors'), 'rubbish');
    await expect(saved.best?.model()).rejects.toThrow(/model-1.safetensors.*checksum/);
  });

  it('with a damaged best model is refused, naming the file', async () => {
    const store = checkpointStore(folder);
    await store.save(finished(2));
    await writeFile(join(folder, 'model-1.safetensors'), 'rubbish');
    await expect(store.load(warn)).rejects.toThrow(/model-1.safetensors.*checksum/);
  });

  it.each(['model-3.safetensors', 'state-3.json'])(
    'with a damaged %s gives way to the one before, loudly',
    async (name) => {
      const store = checkpointStore(folder);
      for (const round of [1, 2, 3]) await store.save(finished(round));
      await writeFile(join(folder, name), '{"trunc');
      const warnings: string[] = [];
      expect(await whole(await store.load((message) => warnings.push(message)))).toEqual(await whole(finished(2)));
      expect(warnings).toEqual([expect.stringContaining(name)]);
    },
  );

  it('that is whole outlives a damaged one after it, also when the next save is cut short', async () => {
    const store = checkpointStore(folder);
    for (const round of [1, 2, 3]) await store.save(finished(round));
    await writeFile(join(folder, 'state-3.json'), '{"trunc');
    const resumed = checkpointStore(folder);
    await resumed.load(warn);
    const model4 = join(folder, 'model-4.safetensors');
    await mkdir(model4); // In the way of the next save, which ends before it names a new checkpoint …
    await expect(resumed.save(finished(4))).rejects.toThrow(/model-4/);
    expect(await whole(await checkpointStore(folder).load(warn))).toEqual(await whole(finished(2)));
    await rm(model4, { recursive: true });
    await mkdir(join(folder, 'state-4.json')); // … or just before that.
    await expect(resumed.save(finished(4))).rejects.toThrow(/state-4.json/);
    await rm(join(folder, 'state-4.json'), { recursive: true });
    expect(await whole(await checkpointStore(folder).load(warn))).toEqual(await whole(finished(2)));
  });

  it('is never without the one before it while a new model is written', async () => {
    const store = checkpointStore(folder);
    for (const round of [1, 2, 3]) await store.save(finished(round));
    await mkdir(join(folder, 'model-4.safetensors'));
    await expect(store.save(finished(4))).rejects.toThrow(/model-4/);
    await writeFile(join(folder, 'model-3.safetensors'), 'rubbish');
    expect(await whole(await checkpointStore(folder).load(warn))).toEqual(await whole(finished(2)));
  });

  it('takes the place of a damaged one of the same number when the round is repeated', async () => {
    const store = checkpointStore(folder);
    for (const round of [1, 2, 3]) await store.save(finished(round));
    await writeFile(join(folder, 'state-3.json'), '{"trunc');
    const resumed = checkpointStore(folder);
    await resumed.load(warn);
    await resumed.save(finished(3));
    expect(await whole(await checkpointStore(folder).load(warn))).toEqual(await whole(finished(3)));
    await writeFile(join(folder, 'state-3.json'), '{"trunc');
    expect(await whole(await checkpointStore(folder).load(warn))).toEqual(await whole(finished(2)));
  });

  it('removes what a killed process left half-written', async () => {
    const store = checkpointStore(folder);
    await store.save(finished(1));
    await writeFile(join(folder, '.model-2.safetensors.99-0.tmp'), 'half');
    await store.save(finished(2));
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('with a damaged model is refused, naming the file', async () => {
    const store = checkpointStore(folder);
    await store.save(finished(1));
    await writeFile(join(folder, 'model-1.safetensors'), 'rubbish');
    await expect(store.load(warn)).rejects.toThrow(/model-1.safetensors.*checksum/);
  });

  it('with any wrong bit, or cut short, gives way to the one before, loudly', async () => {
    const sim = quickDisk(1);
    const store = checkpointStore('/c', { disk: sim.mount() });
    for (const round of [1, 2]) await store.save(finished(round));
    for (const path of ['/c/state-2.json', '/c/model-2.safetensors']) {
      const size = sim.files().get(path)!.length;
      const changes: ((bytes: Buffer) => Uint8Array)[] = [];
      for (let at = 0; at < size; at++) {
        changes.push((bytes) => bytes.fill(bytes[at]! ^ (1 << (at % 8)), at, at + 1));
        changes.push((bytes) => bytes.subarray(0, at));
      }
      for (const change of changes) {
        const damaged = quickDisk(2, { files: sim.files() });
        damaged.damage(path, change);
        const warnings: string[] = [];
        const load = checkpointStore('/c', { disk: damaged.mount() }).load((message) => warnings.push(message));
        expect(await whole(await load)).toEqual(await whole(finished(1)));
        expect(warnings).toEqual([expect.stringContaining(path)]);
      }
    }
  });

  it.each(['/c/state-2.json', '/c/state-1.json'])('that is alone because %s was lost says so', async (lost) => {
    const sim = quickDisk(1);
    const store = checkpointStore('/c', { disk: sim.mount() });
    for (const round of [1, 2]) await store.save(finished(round));
    sim.lose(lost);
    const warnings: string[] = [];
    const left = await checkpointStore('/c', { disk: sim.mount() }).load((message) => warnings.push(message));
    expect(left!.round).toBe(lost === '/c/state-2.json' ? 1 : 2);
    expect(warnings).toEqual([expect.stringMatching(/One of the last two checkpoints in '\/c' is missing/)]);
  });

  it('with unknown fields is refused', async () => {
    await writeFile(join(folder, 'state-1.json'), '{"version": 9}');
    await expect(checkpointStore(folder).load(warn)).rejects.toMatchObject({ tag: 'DataError' });
  });
});

describe('the journal of a round', () => {
  it('gives the accepted updates of the round back, infinite costs and undefined metrics included', async () => {
    const store = checkpointStore(folder);
    store.journal.record(update('site-2', 3, Number.POSITIVE_INFINITY), model(3));
    store.journal.record(update('site-1', 3), model(3));
    await vi.waitFor(async () => {
      const found = await accepted(checkpointStore(folder), 3, model(3));
      expect(found).toEqual([update('site-1', 3), update('site-2', 3, Number.POSITIVE_INFINITY)]);
    });
  });

  it('knows nothing of other rounds, nor of a round whose checkpoint is saved, and keeps those of the next', async () => {
    const store = checkpointStore(folder);
    store.journal.record(update('site-1', 3), model(3));
    store.journal.record(update('site-1', 4), model(4));
    expect(await accepted(store, 5, model(5))).toEqual([]);
    await store.save(finished(4));
    expect(await accepted(store, 3, model(3))).toEqual([]);
    await vi.waitFor(async () => expect(await accepted(store, 4, model(4))).toEqual([update('site-1', 4)]));
  });

  it('keeps nothing back for a round that led to another model when it was repeated', async () => {
    const store = checkpointStore(folder);
    store.journal.record(update('site-1', 3), model(3));
    await vi.waitFor(async () => expect(await accepted(store, 3, model(3))).toHaveLength(1));
    expect(await accepted(checkpointStore(folder), 3, model(7))).toEqual([]);
  });

  it('of a finished run is removed although a kill came first', async () => {
    const store = checkpointStore(folder);
    const last: Checkpoint = { ...finished(3), history: finished(3).history.with({ ...line(3), final: true }) };
    await store.save(last);
    store.journal.record(update('site-1', 3), model(3));
    await vi.waitFor(async () => expect(await accepted(store, 3, model(3))).toHaveLength(1));
    expect(await whole(await checkpointStore(folder).load(warn))).toEqual(await whole(last));
    expect(await readdir(join(folder, 'updates'))).toEqual([]);
  });

  it('names an update that is not whole, and says that the site can be asked again', async () => {
    await mkdir(join(folder, 'updates', '3'), { recursive: true });
    await writeFile(join(folder, 'updates', '3', 'site-1.train.safetensors'), 'half');
    await expect(accepted(checkpointStore(folder), 3, model(3))).rejects.toMatchObject({
      tag: 'DataError',
      message: expect.stringContaining('site-1.train.safetensors'),
      hint: expect.stringContaining('--resume'),
    });
  });

  it('that cannot be written fails the checkpoint of its round', async () => {
    const store = checkpointStore(folder);
    await writeFile(join(folder, 'updates'), 'a file where a folder should be');
    store.journal.record(update('site-1', 3), model(3));
    await expect(store.save(finished(4))).rejects.toThrow(/updates/);
  });
});
