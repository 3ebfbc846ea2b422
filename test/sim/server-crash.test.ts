/** C-10, C-34, C-35 and C-36 for what the server keeps: every operation of a small run, each kind of crash. */
import { beforeAll, describe, expect, it } from 'vitest';
import { type Crash, quickDisk, type RunOptions, runUntil } from '../support/sim/crash';
import { damages } from '../support/sim/damage';
import type { DiskOperation, SimDisk } from '../support/sim/disk';
import { newWorld, runFolder, type ServerWorld, serverProgram } from '../support/sim/server-program';

/** The run that nothing disturbs. */
let operations: readonly DiskOperation[];
let model: string;
beforeAll(async () => {
  const undisturbed = await start(newWorld());
  operations = undisturbed.operations;
  model = undisturbed.result!;
});

function start(world: ServerWorld, crash?: Crash, { spools, ...options }: RunOptions & { spools?: boolean } = {}) {
  const stop = new AbortController();
  const ended = runUntil(crash, (disk) => serverProgram(disk, world, { signal: stop.signal, spools }), options);
  return ended.finally(() => stop.abort());
}

/** Starts the server again: it ends with the same model, asks nobody for what it had acknowledged, and leaves no rest. */
async function expectToFinish(sim: SimDisk, world: ServerWorld, what: string): Promise<void> {
  const { result } = await start(world, undefined, { sim });
  expect([result, world.askedAgain, world.warnings], what).toEqual([model, [], []]);
  const rest = [...sim.files().keys()].filter((path) => path.includes('.tmp') || path.includes('/updates/'));
  expect(rest, what).toEqual([]);
}

describe('a server that is cut off at any operation goes on, and ends with the same model', () => {
  it.each<[string, Omit<Crash, 'at'>]>([
    ['a power cut that takes all that was not flushed', { how: 'power cut', remains: 'nothing' }],
    ['a power cut that takes some of it', { how: 'power cut', remains: 'some' }],
    ['a power cut in the middle of an operation', { how: 'power cut', when: 'before' }],
    ['kill -9', { how: 'kill' }],
    ['kill -9 in the middle of an operation', { how: 'kill', when: 'before' }],
  ])('by %s', async (_, crash) => {
    expect(operations.length).toBeGreaterThan(150);
    for (const { number: at } of operations) {
      const world = newWorld();
      const { sim } = await start(world, { ...crash, at }, { seed: at });
      await expectToFinish(sim, world, `operation ${at}`);
    }
  });

  it('by kill -9, and by a power cut while it recovers from that', async () => {
    for (const { number: at } of operations) {
      const world = newWorld();
      const { sim } = await start(world, { how: 'kill', at }, { seed: at });
      await start(world, { how: 'power cut', remains: at % 2 ? 'nothing' : 'some', at: 1 + ((7 * at) % 40) }, { sim });
      await expectToFinish(sim, world, `operation ${at}`);
    }
  });

  it('also when updates come in files of their own, which the journal takes over', async () => {
    const { operations, result } = await start(newWorld(), undefined, { spools: true });
    expect(result).toBe(model);
    expect(operations.filter(({ kind, to }) => kind === 'rename' && to?.includes('/updates/'))).toHaveLength(12);
    for (const { number: at } of operations) {
      const world = newWorld();
      const { sim } = await start(world, { how: at % 2 ? 'kill' : 'power cut', at }, { seed: at, spools: true });
      await start(world, { how: 'power cut', at: 1 + ((7 * at) % 40) }, { sim, spools: true });
      await expectToFinish(sim, world, `operation ${at}`);
    }
  });

  it('has acknowledged every update but those of a task that closes the run, and each before its round is over', async () => {
    const world = newWorld();
    await start(world);
    expect(world.acknowledged.size).toBe(3 * 4); // Three rounds, and the evaluation of the finished model.
  });
});

describe('a disk that fails at any operation ends the run, and the run goes on once it works', () => {
  const kinds = ['open', 'write', 'sync', 'rename', 'syncFolder', 'makeFolder', 'list', 'readFile', 'remove'];
  it.each(['ENOSPC', 'EIO'])('%s', async (code) => {
    for (const { number: at, kind } of operations) {
      if (!kinds.includes(kind)) continue;
      const world = newWorld();
      const sim = quickDisk(at);
      const isFull = (one: DiskOperation) => code === 'ENOSPC' && one.kind === 'write' && one.number > at;
      sim.faults.fail = (one) => (one.number === at || isFull(one) ? code : undefined);
      await expect(start(world, undefined, { sim }), `operation ${at}, ${kind}`).rejects.toMatchObject({
        tag: 'WorkspaceError',
        message: expect.stringMatching(new RegExp(`'${runFolder}.*\\(${code}\\)`)),
        hint: expect.stringMatching(/./),
      });
      sim.faults.fail = undefined;
      if (at % 2) sim.powerCut();
      await expectToFinish(sim, world, `operation ${at}, ${kind}`);
    }
  });

  it('also when it is full before anything was written', async () => {
    const world = newWorld();
    const sim = quickDisk(1);
    sim.faults.quotaBytes = 0;
    await expect(start(world, undefined, { sim })).rejects.toMatchObject({ tag: 'WorkspaceError' });
    expect(world.acknowledged.size).toBe(0);
    sim.faults.quotaBytes = undefined;
    await expectToFinish(sim, world, 'full');
  });
});

describe('a damaged file', () => {
  /** Killed in the third round, when two of its updates were acknowledged. */
  async function killed(): Promise<{ readonly sim: SimDisk; readonly world: ServerWorld }> {
    const ofThird = operations.filter(({ kind, path }) => kind === 'syncFolder' && path.endsWith('/updates/2'));
    const world = newWorld();
    const { sim } = await start(world, { how: 'kill', at: ofThird[1]!.number + 12 });
    expect([...world.acknowledged].filter((what) => what.endsWith('train 2')).length).toBeGreaterThanOrEqual(2);
    expect(world.saved).toBe(2);
    return { sim, world };
  }

  it('of the server is passed over with a warning, or refused with what to do; the model is the same or there is none', async () => {
    const { sim, world } = await killed();
    const files = sim.files();
    const outcomes = new Map<string, Set<string>>();
    for (const path of [...files.keys()].filter((one) => !one.endsWith('.tmp'))) {
      for (const { name, damage } of damages) {
        const damaged = quickDisk(1, { files });
        damage(damaged, path);
        const after: ServerWorld = {
          ...world,
          acknowledged: new Set(world.acknowledged),
          askedAgain: [],
          warnings: [],
          saved: -1,
        };
        const outcome = await start(after, undefined, { sim: damaged }).then(
          ({ result }) => (result === model ? (after.warnings.length > 0 ? 'warned' : 'silent') : 'garbage'),
          (error) => (error.tag === 'DataError' && error.hint && error.message.includes(path) ? 'refused' : `${error}`),
        );
        note(path, name === 'lost' ? `${outcome}, lost` : outcome);
      }
    }
    expect(Object.fromEntries(outcomes)).toEqual({
      'state-2.json': new Set(['warned', 'warned, lost']),
      'model-2.safetensors': new Set(['warned', 'warned, lost']),
      // Nothing is read of the one before while the newest is whole; it is missed all the same.
      'state-1.json': new Set(['silent', 'warned, lost']),
      // The first model, to which no checkpoint goes back, and the best.
      'model-0.safetensors': new Set(['silent', 'silent, lost']),
      'model-1.safetensors': new Set(['refused', 'refused, lost']),
      // The site is asked again, and answers the same.
      'an update': new Set(['warned', 'silent, lost']),
    });

    function note(path: string, outcome: string): void {
      const file = path.includes('/updates/') ? 'an update' : path.slice(path.lastIndexOf('/') + 1);
      outcomes.set(file, (outcomes.get(file) ?? new Set()).add(outcome));
    }
  });
});
