import { describe, expect, it } from 'vitest';
import { atOnce, quickDisk, runUntil } from '../../../test/support/sim/crash';
import { parseJob } from '../../jobs/job-spec';
import type { Disk } from '../../util/disk';
import { type JobStore, openJobStore, writeSpec } from './job-store';
import { type SavedJob, savedJob, stateOf } from './stored-job';

const folder = '/w/jobs';
const clock = { ...atOnce, monotonicMs: () => 0, wallMs: () => Date.UTC(2026, 0, 1), after: () => () => {} };
const hash = 'a'.repeat(64);

const spec = parseJob({
  version: 1,
  name: 'small',
  sites: ['site-1'],
  workflow: { kind: 'fed-avg', rounds: 1, minSites: 1 },
  model: { kind: 'tensors', tensors: { w: [1] } },
  trainer: { kind: 'command', command: ['x'] },
});

function jobOf(id: string, order: number): SavedJob {
  return {
    version: 1,
    id,
    order,
    name: 'small',
    hash,
    jobHash: hash,
    bundle: { sha256: hash, size: 1 },
    submitter: { name: 'ada', org: 'North' },
    owner: 'ada',
    sites: ['site-1'],
    minSites: 1,
    rounds: 1,
    resources: { memoryMb: 0, gpus: 0 },
    parts: {},
    withdrawn: {},
    finishedRounds: 0,
    metrics: {},
    refusals: {},
    accepted: [],
    history: [{ state: 'submitted', time: '2026-01-01T00:00:00.000Z' }],
  };
}

const warnings: string[] = [];
const open = (disk: Disk) => openJobStore({ disk, clock, folder, warn: (message) => warnings.push(message) });

async function addJob(store: JobStore, id: string, disk: Disk): Promise<void> {
  const made = store.making();
  await writeSpec(made.job, spec, disk);
  await store.add(jobOf(id, store.nextOrder()), made);
}

describe('the jobs on the disk of a server', () => {
  it('are each there as a whole or not at all, whenever the server is killed, and keep what it had said to be on disk', async () => {
    for (const how of ['kill', 'power cut'] as const) {
      for (const when of ['before', 'after'] as const) {
        for (let at = 1; ; at++) {
          const done: string[] = [];
          const { sim, result } = await runUntil({ at, how, when }, (disk) => someJobs(disk, done), { seed: at });
          if (result !== undefined) break;
          warnings.length = 0;
          const disk = sim.mount();
          const store = await open(disk);
          const found = Object.fromEntries(store.all().map((job) => [job.id, stateOf(job)]));
          const context = `${how} ${when} ${at}: ${JSON.stringify(found)} after ${done}`;
          expect(warnings, context).toEqual([]);
          for (const job of store.all()) expect(await store.readSpec(job.id), context).toEqual(spec);
          if (done.includes('added one') && !done.includes('removing one')) expect(found.one, context).toBeDefined();
          if (done.includes('queued one') && !done.includes('removing one')) expect(found.one).not.toBe('submitted');
          if (done.includes('ran one') && !done.includes('removing one')) expect(found.one).toBe('running');
          if (done.includes('removed one')) expect(found.one, context).toBeUndefined();
          if (done.includes('added two')) expect(found.two, context).toBe('submitted');
          await addJob(store, 'three', disk);
          expect(stateOf((await open(sim.mount())).get('three')!)).toBe('submitted');
        }
      }
    }
  });

  it('come in the order in which they were submitted, also after a restart', async () => {
    const { sim } = await runUntil(undefined, async (disk) => {
      const store = await open(disk);
      for (const id of ['z', 'a', 'm']) await addJob(store, id, disk);
    });
    const disk = sim.mount();
    const store = await open(disk);
    await addJob(store, 'b', disk);
    expect(store.all().map(({ id }) => id)).toEqual(['z', 'a', 'm', 'b']);
  });

  it('are left alone where their state is damaged, and their name stays taken', async () => {
    const { sim } = await runUntil(undefined, async (disk) => {
      const store = await open(disk);
      await addJob(store, 'one', disk);
      await addJob(store, 'two', disk);
    });
    for (const change of [() => Buffer.from(''), (bytes: Buffer) => Buffer.from(String(bytes).replace('ada', 'eve'))]) {
      sim.damage('/w/jobs/one/state.json', change);
      warnings.length = 0;
      const store = await open(sim.mount());
      expect(store.all().map(({ id }) => id)).toEqual(['two']);
      expect(store.taken('one')).toBe(true);
      expect(warnings).toEqual([
        expect.stringMatching(/'\/w\/jobs\/one' is left alone: .* checksum .* Restore it from a copy/),
      ]);
    }
    expect(sim.files().has('/w/jobs/one/job.json')).toBe(true);
  });

  it('that were deleted leave their name taken, and nothing else, also when a kill came in between', async () => {
    warnings.length = 0;
    const sim = quickDisk(1);
    const disk = sim.mount();
    const store = await open(disk);
    await addJob(store, 'one', disk);
    await store.remove('one');
    expect([...sim.files().keys()].filter((path) => path.startsWith('/w/jobs/one'))).toEqual([]);
    const later = await open(sim.mount());
    for (const known of [store, later]) {
      expect(known.all()).toEqual([]);
      expect(known.taken('one')).toBe(true);
      expect(known.taken('two')).toBe(false);
    }
    expect(warnings).toEqual([]);
  });

  it('of an earlier release, which kept only which sites were withdrawn, can still be read', () => {
    const old = { ...jobOf('one', 0), withdrawn: ['site-1'] };
    expect(savedJob.parse(old).withdrawn).toEqual({ 'site-1': 'by its operator' });
    expect(savedJob.safeParse({ ...old, withdrawn: ['../x'] }).success).toBe(false);
  });

  it('keep the beginning and the end of a history that would grow for ever', async () => {
    await runUntil(undefined, async (disk) => {
      const store = await open(disk);
      await addJob(store, 'one', disk);
      for (let i = 0; i < 120; i++) await store.change('one', { state: i % 2 === 0 ? 'queued' : 'running' });
      const { history } = store.get('one')!;
      expect(history).toHaveLength(100);
      expect(history[0]!.state).toBe('submitted');
      expect(history.at(-1)!.state).toBe('running');
    });
  });

  it('change one after the other, and are known as changed here even when the disk is full', async () => {
    const sim = quickDisk(1);
    const disk = sim.mount();
    const store = await open(disk);
    await addJob(store, 'one', disk);
    await Promise.all([
      store.change('one', { state: 'queued' }),
      store.change('one', { withdrawn: { 'site-1': 'by keeper' } }),
    ]);
    expect(store.get('one')).toMatchObject({
      withdrawn: { 'site-1': 'by keeper' },
      history: [{}, { state: 'queued' }],
    });
    sim.faults.quotaBytes = 1;
    await expect(store.change('one', { state: 'running' })).rejects.toMatchObject({ tag: 'WorkspaceError' });
    expect(stateOf(store.get('one')!)).toBe('running');
    expect(stateOf((await open(sim.mount())).get('one')!)).toBe('queued');
  });
});

async function someJobs(disk: Disk, done: string[]): Promise<'ended'> {
  const store = await open(disk);
  await addJob(store, 'one', disk);
  done.push('added one');
  await store.change('one', { state: 'queued' });
  done.push('queued one');
  await addJob(store, 'two', disk);
  done.push('added two');
  await store.change('one', { state: 'running' });
  done.push('ran one');
  done.push('removing one');
  await store.remove('one');
  done.push('removed one');
  return 'ended';
}
