/** C-10, C-34, C-35 and C-36 for what a site keeps: its trainer's states and its ledger. */
import { beforeAll, describe, expect, it } from 'vitest';
import { type Crash, quickDisk, runUntil } from '../support/sim/crash';
import { damages } from '../support/sim/damage';
import type { DiskOperation, SimDisk } from '../support/sim/disk';
import {
  epsilonOfCall,
  newSiteWorld,
  type SiteEnd,
  type SiteWorld,
  siteFolder,
  siteProgram,
} from '../support/sim/site-program';

/** The run that nothing disturbs. */
let operations: readonly DiskOperation[];
let undisturbed: SiteEnd;
beforeAll(async () => {
  const ended = await runUntil(undefined, (disk) => siteProgram(disk, newSiteWorld()));
  operations = ended.operations;
  undisturbed = ended.result!;
});

/** Starts the site again: it gives the same answers, and has lost no charge. */
async function expectToFinish(sim: SimDisk, world: SiteWorld, what: string): Promise<void> {
  const { result } = await runUntil(undefined, (disk) => siteProgram(disk, world), { sim });
  expect(world.warnings, what).toEqual([]);
  expect(result!.answers, what).toEqual(undisturbed.answers);
  expect(result!.spent, what).toBeGreaterThanOrEqual(world.charged * epsilonOfCall);
  // A round that was repeated is paid again, and nothing is paid twice beyond that: once an attempt.
  expect(result!.spent, what).toBeLessThanOrEqual((world.charged + 2) * epsilonOfCall);
}

describe('a site that is cut off at any operation goes on, with the same answers, and loses no charge', () => {
  it.each<[string, Omit<Crash, 'at'>]>([
    ['a power cut that takes all that was not flushed', { how: 'power cut', remains: 'nothing' }],
    ['a power cut that takes some of it', { how: 'power cut', remains: 'some' }],
    ['a power cut in the middle of an operation', { how: 'power cut', when: 'before' }],
    ['kill -9', { how: 'kill' }],
    ['kill -9 in the middle of an operation', { how: 'kill', when: 'before' }],
  ])('by %s', async (_, crash) => {
    expect(operations.length).toBeGreaterThan(100);
    for (const { number: at } of operations) {
      const world = newSiteWorld();
      const { sim } = await runUntil({ ...crash, at }, (disk) => siteProgram(disk, world), { seed: at });
      await expectToFinish(sim, world, `operation ${at}`);
    }
  });

  it('by kill -9, and by a power cut while it recovers from that', async () => {
    for (const { number: at } of operations) {
      const world = newSiteWorld();
      const { sim } = await runUntil({ how: 'kill', at }, (disk) => siteProgram(disk, world), { seed: at });
      const second = { how: 'power cut', remains: at % 2 ? 'nothing' : 'some', at: 1 + ((7 * at) % 40) } as const;
      await runUntil(second, (disk) => siteProgram(disk, world), { sim });
      await expectToFinish(sim, world, `operation ${at}`);
    }
  });
});

describe('a disk that fails at any operation ends the task, and the site goes on once it works', () => {
  const kinds = ['open', 'write', 'sync', 'rename', 'syncFolder', 'makeFolder', 'list', 'readFile', 'remove'];
  it.each(['ENOSPC', 'EIO'])('%s', async (code) => {
    for (const { number: at, kind } of operations) {
      if (!kinds.includes(kind)) continue;
      const world = newSiteWorld();
      const sim = quickDisk(at);
      const isFull = (one: DiskOperation) => code === 'ENOSPC' && one.kind === 'write' && one.number > at;
      sim.faults.fail = (one) => (one.number === at || isFull(one) ? code : undefined);
      const ended = runUntil(undefined, (disk) => siteProgram(disk, world), { sim });
      await expect(ended, `operation ${at}, ${kind}`).rejects.toMatchObject({
        tag: 'WorkspaceError',
        message: expect.stringMatching(new RegExp(`'${siteFolder}.*\\(${code}\\)`)),
      });
      sim.faults.fail = undefined;
      if (at % 2) sim.powerCut();
      await expectToFinish(sim, world, `operation ${at}, ${kind}`);
    }
  });
});

describe('a damaged file', () => {
  it('of a site is passed over with a warning, or the site refuses to train and says what to do', async () => {
    const world = newSiteWorld();
    const { sim } = await runUntil(undefined, (disk) => siteProgram(disk, world, 4));
    const files = sim.files();
    const outcomes: Record<string, Set<string>> = {};
    for (const path of files.keys()) {
      for (const { damage } of damages) {
        const damaged = quickDisk(1, { files });
        damage(damaged, path);
        const after: SiteWorld = { ...world, answers: [...world.answers], warnings: [] };
        const outcome = await runUntil(undefined, (disk) => siteProgram(disk, after), { sim: damaged }).then(
          ({ result }) => {
            if (after.warnings.length > 0) return 'warned';
            return JSON.stringify(result!.answers) === JSON.stringify(undisturbed.answers) ? 'the same' : 'garbage';
          },
          (error) => (error.tag === 'DataError' && error.hint && error.message.includes(path) ? 'refused' : `${error}`),
        );
        const file = path.slice(path.lastIndexOf('/') + 1);
        outcomes[file] = (outcomes[file] ?? new Set()).add(outcome);
      }
    }
    expect(outcomes).toEqual({
      'ledger.jsonl': new Set(['refused']),
      'ledger.count.json': new Set(['the same']),
      'round-000000.safetensors': new Set(['the same']),
      'round-000000.written': new Set(['the same']),
      'round-000001.safetensors': new Set(['the same']),
      'round-000001.written': new Set(['the same']),
      'round-000002.safetensors': new Set(['the same']),
      'round-000002.written': new Set(['the same']),
      'round-000003.safetensors': new Set(['warned']),
      'round-000003.written': new Set(['the same']),
    });
  });
});
