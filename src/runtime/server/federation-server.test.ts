import { readFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { movedBy, rigJob, type ServerRig, serverRig } from '../../../test/support/server-rig';
import { decodeSafetensors } from '../../tensor/safetensors';
import { nodeClock } from '../../util/clock';
import type { Disk } from '../../util/disk';
import { nodeDisk } from '../../util/node-disk';
import { verifyAudit } from '../audit';
import { defineAggregator } from '../define-part';
import type { ServerEvent } from './federation-server';
import { type SavedJob, stateOf } from './stored-job';

/** An aggregator of somebody's own, with a mistake. */
const broken = defineAggregator({
  module: __filename,
  kind: 'rig/broken',
  options: z.strictObject({}),
  create: () => ({
    add() {
      throw new TypeError('sum is not a function');
    },
    contributions: () => [],
    finish: () => new Map(),
  }),
});

let rig: ServerRig;
beforeEach(async () => {
  rig = await serverRig();
});
afterEach(() => rig.close());

const finalModel = (id: string, name = 'small') => {
  const models = join(rig.workspace, 'jobs', id, name, 'server', 'simulate_job', 'app_server');
  return readFileSync(join(models, 'FL_global_model.safetensors'));
};
const numbers = (bytes: Buffer) => [...decodeSafetensors(bytes).tensors.get('w')!.data];
const audit = () =>
  readFileSync(join(rig.workspace, 'audit.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
const states = ({ history }: SavedJob) => history.map(({ state }) => state);
const runEvent = (job: string, kind: string, more: object = {}) =>
  rig.until((event) => event.kind === 'run' && event.job === job && fits(event.event, { kind, ...more }));
const fits = (event: object, wanted: object) =>
  Object.entries(wanted).every(([key, value]) => (event as Record<string, unknown>)[key] === value);
const forever = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
const both = (own = {}) => Promise.all([rig.site('site-1', own), rig.site('site-2', own)]);

describe('a server', () => {
  it('runs a submitted job with its sites to the end', async () => {
    await rig.start();
    await both();
    const { id } = await rig.submit(rigJob());
    const job = await rig.ended(id);
    expect(states(job)).toEqual(['submitted', 'queued', 'running', 'finished']);
    expect(numbers(finalModel(id))).toEqual([3, 3, 3, 3]); // Three rounds, each site moves by 1.
    expect(job.finishedRounds).toBe(3);
  });

  it('answers the same content again with the job that is there, and runs it anew as a clone', async () => {
    const server = await rig.start();
    await both();
    const first = await rig.submit(rigJob());
    const again = await rig.submit(rigJob());
    expect(again.id).toBe(first.id);
    expect(first.id).toBe(`small-${first.hash.slice(0, 8)}`);
    await rig.ended(first.id);
    const clone = await server.clone(server.job(first.id), await rig.identity('grace'));
    expect(clone).toMatchObject({
      id: `${first.id}-2`,
      owner: 'grace',
      clonedFrom: first.id,
      submitter: { name: 'ada' },
    });
    const third = await server.clone(clone, await rig.identity('ada'));
    expect(third.id).toBe(`${first.id}-3`);
    await Promise.all([rig.ended(clone.id), rig.ended(third.id)]);
    expect(finalModel(clone.id)).toEqual(finalModel(first.id));
    expect((await rig.submit(rigJob())).id).toBe(first.id);
    expect(server.store.all()).toHaveLength(3);
  });

  it('tells its log and its audit log of a startup kit that is in use at two places, once', async () => {
    await rig.start();
    await Promise.all([rig.site('site-1'), rig.site('site-1')]);
    const replaced = (event: ServerEvent) => event.kind === 'hub' && event.event.kind === 'site-replaced';
    await rig.until(() => rig.events.filter(replaced).length >= 5);
    await rig.stop();
    expect(audit().filter(({ event }) => event === 'kit-used-twice')).toMatchObject([{ site: 'site-1' }]);
    const lines = readFileSync(join(rig.workspace, 'log.txt'), 'utf8').split('\n');
    expect(lines.filter((line) => line.includes('take each other'))).toEqual([
      expect.stringMatching(
        /WARN.* site-1.*two processes with its startup kit .* Stop one of them; if one is not yours/i,
      ),
    ]);
  });

  it('deletes a job that has ended, and refuses one that runs', async () => {
    const server = await rig.start();
    const grace = await rig.identity('grace');
    await rig.site('site-1', { train: (_, signal) => forever(signal) });
    await rig.site('site-2');
    const { id } = await rig.submit(rigJob());
    await runEvent(id, 'round-started');
    await expect(server.jobs.remove(server.job(id), grace)).rejects.toMatchObject({
      tag: 'RefusedError',
      message: `The job '${id}' is running.`,
      hint: `Abort it first: consilium abort ${id}`,
    });
    await server.jobs.abort(server.job(id), grace, 'by grace');
    await server.jobs.remove(server.job(id), grace);
    expect(() => server.job(id)).toThrow(`There is no job '${id}'.`);
    expect(await nodeDisk.list(join(rig.workspace, 'jobs'))).toEqual([]);
    expect((await rig.submit(rigJob())).id).toBe(id);
  });

  it('refuses a job that somebody else has signed, one for a site of another project, and code of its own', async () => {
    const server = await rig.start();
    const { file, ref } = await rig.bundle(rigJob(), 'grace');
    await expect(server.submit(file, ref, await rig.identity('ada'))).rejects.toThrow("signed by 'grace', but 'ada'");
    const strange = rigJob({ sites: ['site-1', 'site-3'] });
    await expect(rig.submit(strange)).rejects.toMatchObject({
      tag: 'ConfigError',
      message: "The job names the site 'site-3', which is none of this project. Did you mean 'site-1'?",
    });
    await writeFile(join(rig.folder, 'own.js'), '');
    await expect(rig.submit(rigJob({ modules: ['own.js'] }))).rejects.toMatchObject({
      tag: 'RefusedError',
      hint: expect.stringContaining("'allowCode' in server.yaml"),
    });
    expect(server.store.all()).toEqual([]);
    expect(audit().filter(({ event }) => event === 'submission-refused')).toHaveLength(3);
    await rig.stop();
    const log = (await readFile(join(rig.workspace, 'log.txt'), 'utf8')).split('\n');
    expect(log.filter((line) => / WARN {2}refused a submission of 'ada': .* → .+/.test(line))).toHaveLength(3);
  });

  it('starts a job once enough of its sites are there, and says meanwhile which are missing', async () => {
    const server = await rig.start();
    const { id } = await rig.submit(rigJob());
    await rig.site('site-1');
    await rig.until(({ kind }) => kind === 'hub');
    expect(server.jobs.waitsFor(id)).toEqual({ code: 'sites-missing', needed: 2, connected: 1, missing: ['site-2'] });
    await rig.site('site-2');
    expect(stateOf(await rig.ended(id))).toBe('finished');
  });

  it('runs several jobs at a time, and as many of them as a site has slots for', async () => {
    const server = await rig.start();
    const working = new Set<string>();
    let most = 0;
    const busy = {
      resources: { slots: 2, memoryMb: 1000, gpus: 0 },
      async train(task: Parameters<typeof movedBy>[2]) {
        for (const { id } of server.jobs.running()) working.add(id);
        most = Math.max(most, server.jobs.running().length);
        return movedBy(1, 'site-1', task);
      },
    };
    await rig.site('site-1', busy);
    const names = ['a', 'b', 'c', 'd'];
    const workflow = { kind: 'fed-avg', rounds: 3, minSites: 1, keyMetric: 'score', roundDeadlineSeconds: 30 };
    const jobs = await Promise.all(names.map((name) => rig.submit(rigJob({ name, sites: ['site-1'], workflow }))));
    await Promise.all(jobs.map(({ id }) => rig.ended(id)));
    expect(working.size).toBe(4);
    expect(most).toBe(2);
  });

  it('keeps an audit log of what happened: who joined, submitted, and which answers counted', async () => {
    await rig.start();
    await both();
    const { id, hash } = await rig.submit(rigJob());
    await rig.ended(id);
    await rig.stop();
    const records = audit();
    const of = (event: string) => records.filter((record) => record.event === event);
    expect(
      of('joined')
        .map(({ site }) => site)
        .sort(),
    ).toEqual(['site-1', 'site-2']);
    expect(of('submitted')).toMatchObject([{ job: id, by: 'ada', submitter: 'ada', hash }]);
    expect(of('job-accepted')).toHaveLength(2);
    const answers = of('answer-accepted');
    expect(answers).toHaveLength(8); // Three rounds and the evaluation, of two sites.
    expect(answers[0]).toMatchObject({
      job: id,
      round: 0,
      kind: 'train',
      filters: [],
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(of('finished')).toMatchObject([{ job: id }]);
    expect(await verifyAudit(join(rig.workspace, 'audit.jsonl'), nodeDisk)).toMatchObject({ whole: true });
  });
});

describe('a server whose clock is an hour ahead', () => {
  it('says so of each site that connects, with what to do', async () => {
    await rig.start({}, { clock: { ...nodeClock, wallMs: () => nodeClock.wallMs() + 3600_000 } });
    await rig.site('site-1');
    await rig.until((event) => event.kind === 'hub' && event.event.kind === 'site-joined');
    await rig.stop();
    const log = readFileSync(join(rig.workspace, 'log.txt'), 'utf8');
    expect(log).toMatch(/WARN.*site-1.*its clock is 3600 s behind this one\. Set the clock/i);
  });
});

describe('a job of a server', () => {
  it('that was killed with it goes on at the next start, repeats no round and no training, and ends in the same bytes', async () => {
    await rig.start();
    const trained: string[] = [];
    let hold = true;
    const site = (name: string) => ({
      train: async (task: Parameters<typeof movedBy>[2], signal: AbortSignal) => {
        trained.push(`${name} ${task.kind} ${task.round}`);
        if (hold && name === 'site-2' && task.round === 1 && task.kind === 'train') {
          reached();
          await Promise.race([released, forever(signal)]);
        }
        return movedBy(name === 'site-1' ? 1 : 2, name, task);
      },
    });
    let reached = () => {};
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    await rig.site('site-1', site('site-1'));
    await rig.site('site-2', site('site-2'));
    const { id } = await rig.submit(rigJob());
    await held;
    await rig.until(
      ({ kind, ...event }) =>
        kind === 'hub' && fits((event as { event: object }).event, { kind: 'answered', round: 1, outcome: 'accepted' }),
    );
    rig.kill();
    hold = false;
    release();
    await rig.start();
    const job = await rig.ended(id);
    expect(states(job)).toEqual(['submitted', 'queued', 'running', 'finished']);
    expect(numbers(finalModel(id))).toEqual([4.5, 4.5, 4.5, 4.5]);
    expect(new Set(trained).size).toBe(trained.length); // Nothing was asked twice of a site that had answered.
    const clone = (await rig.current().clone(job, await rig.identity('ada'))).id;
    await rig.ended(clone);
    expect(finalModel(clone)).toEqual(finalModel(id));
  });

  it('is suspended by a stop in order, goes on afterwards, and no site has to begin a training anew', async () => {
    await rig.start();
    let began = 0;
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    await rig.site('site-1', {
      async train(task, signal) {
        if (task.round === 2) {
          began++;
          await Promise.race([released, forever(signal)]);
        }
        return movedBy(1, 'site-1', task);
      },
    });
    await rig.site('site-2');
    const { id } = await rig.submit(rigJob());
    await runEvent(id, 'round-finished', { round: 1 });
    const before = performance.now();
    await rig.stop();
    expect(performance.now() - before).toBeLessThan(2000);
    expect(audit().at(-1)).toMatchObject({ event: 'server-stopped' });
    const server = await rig.start();
    expect(stateOf(server.job(id))).toBe('running');
    release();
    const job = await rig.ended(id);
    expect(stateOf(job)).toBe('finished');
    expect(numbers(finalModel(id))).toEqual([3, 3, 3, 3]);
    expect(began).toBe(1);
  });

  it('can be aborted while it waits in the queue, while it runs, and not once it has ended', async () => {
    const server = await rig.start();
    const grace = await rig.identity('grace');
    const queued = await rig.submit(rigJob({ name: 'queued' }));
    await server.jobs.abort(queued, grace, 'by grace');
    expect(server.job(queued.id).history.at(-1)).toMatchObject({
      state: 'aborted',
      reason: { code: 'ABORTED', message: 'by grace' },
    });
    await rig.site('site-1', { train: (_, signal) => forever(signal) });
    await rig.site('site-2');
    const running = await rig.submit(rigJob({ name: 'running' }));
    await runEvent(running.id, 'round-started');
    const before = performance.now();
    await server.jobs.abort(server.job(running.id), grace, 'by grace: enough');
    expect(performance.now() - before).toBeLessThan(3000);
    expect(server.job(running.id).history.at(-1)).toMatchObject({
      state: 'aborted',
      reason: { message: 'by grace: enough' },
    });
    expect(await nodeDisk.exists(server.store.folder(running.id).spool)).toBe(false);
    await server.jobs.abort(server.job(running.id), grace, 'again');
    expect(states(server.job(running.id)).filter((state) => state === 'aborted')).toHaveLength(1);
    expect(server.jobs.running()).toEqual([]);
  });

  it('that fails ends with a code for programs, and harms no other job', async () => {
    await rig.start();
    const broken = (name: string) => ({
      train: (task: Parameters<typeof movedBy>[2]) => {
        if (task.kind === 'train' && task.model.has('bad')) throw new Error('no data');
        return movedBy(1, name, task);
      },
    });
    await rig.site('site-1', broken('site-1'));
    await rig.site('site-2', broken('site-2'));
    const model = { kind: 'tensors', tensors: { bad: [1] }, start: 'zeros' };
    const [good, bad] = await Promise.all([rig.submit(rigJob()), rig.submit(rigJob({ name: 'bad', model }))]);
    const [first, second] = await Promise.all([rig.ended(good.id), rig.ended(bad.id)]);
    expect(stateOf(first)).toBe('finished');
    expect(numbers(finalModel(good.id))).toEqual([3, 3, 3, 3]);
    expect(second.history.at(-1)).toMatchObject({
      state: 'failed',
      reason: {
        code: 'QUORUM',
        message: expect.stringMatching(/needs 2 sites, but only 0 answered.\n {2}site-1 failed/),
        hint: `Mend the cause; then 'consilium clone ${bad.id}' runs the job anew.`,
      },
    });
    const { id } = await rig.submit(rigJob({ name: 'after' }));
    expect(stateOf(await rig.ended(id))).toBe('finished');
  });

  it('whose own aggregator throws fails with the code AGGREGATOR and its message', async () => {
    await rig.start();
    await both();
    const { workflow } = rigJob();
    const own = rigJob({ workflow: { ...workflow, aggregator: broken() } });
    const job = await rig.ended((await rig.submit(own)).id);
    expect(job.history.at(-1)).toMatchObject({
      state: 'failed',
      reason: {
        code: 'AGGREGATOR',
        message: expect.stringContaining('sum is not a function'),
        hint: 'Mend it and submit the job again.',
      },
    });
  });

  it('says whom it waits for, and since when, when nothing has happened for long', async () => {
    const server = await rig.start({ stallSeconds: 0.2 });
    await rig.site('site-1', { train: (_, signal) => forever(signal) });
    await rig.site('site-2');
    const { id } = await rig.submit(rigJob());
    // On a busy machine nothing may happen for as long before that.
    const said = /^Nothing has happened for .* Waiting for site-1 \(train of round 0, for \d+ s: is at work\)\.$/;
    const stalled = await rig.until(
      (event) => event.kind === 'run' && event.event.kind === 'log' && said.test(event.event.message),
    );
    expect(stalled).toMatchObject({ event: { level: 'warn' } });
    const { waiting, stalledSeconds } = server.jobs.runningJob(id)!.status();
    expect(waiting).toMatchObject([{ site: 'site-1', task: 'train', round: 0, what: 'is at work' }]);
    expect(stalledSeconds).toBeGreaterThanOrEqual(0.2);
  });

  it('goes on without a site whose operator has ended its part, also after a restart', async () => {
    let server = await rig.start();
    await rig.site('site-1');
    await rig.site('site-2', { train: (_, signal) => forever(signal) });
    const workflow = { kind: 'fed-avg', rounds: 2, minSites: 1, keyMetric: 'score', roundDeadlineSeconds: 30 };
    const { id } = await rig.submit(rigJob({ workflow }));
    await runEvent(id, 'round-started');
    const keeper = await rig.identity('keeper');
    await server.jobs.withdraw(server.job(id), 'site-2', keeper, 'by keeper: my machine');
    const said = 'The site was withdrawn from the job: by keeper: my machine';
    await runEvent(id, 'log', { level: 'warn', site: 'site-2', message: said });
    const job = await rig.ended(id);
    expect(stateOf(job)).toBe('finished');
    expect(numbers(finalModel(id))).toEqual([2, 2, 2, 2]);
    await rig.stop();
    server = await rig.start();
    expect(server.job(id).withdrawn).toEqual(['site-2']);
  });

  it('tells its followers and its state when a site refuses it, and why', async () => {
    const server = await rig.start();
    await rig.site('site-1', { consider: () => ({ verdict: 'refused', reason: 'no scripts here' }) });
    await rig.site('site-2');
    const { id } = await rig.submit(rigJob());
    const job = await rig.ended(id);
    expect(job.history.at(-1)?.reason).toMatchObject({
      code: 'QUORUM',
      message: expect.stringContaining('refused the job: no scripts here'),
    });
    const told = rig.events.flatMap((event) =>
      event.kind === 'run' && event.event.kind === 'log' ? [event.event] : [],
    );
    expect(told).toContainEqual({
      kind: 'log',
      level: 'warn',
      site: 'site-1',
      message: 'The site refused the job: no scripts here',
    });
    expect(server.job(id)).toMatchObject({ refusals: { 'site-1': 'no scripts here' } });
    expect(audit()).toContainEqual(
      expect.objectContaining({ event: 'job-refused', site: 'site-1', reason: 'no scripts here' }),
    );
  });

  it('that was damaged on disk fails with the code DAMAGED, and the server goes on', async () => {
    await rig.start();
    const { id } = await rig.submit(rigJob());
    await rig.stop();
    await writeFile(join(rig.workspace, 'jobs', id, 'job.json'), '{}');
    await rig.start();
    await both();
    const job = await rig.ended(id);
    expect(job.history.at(-1)).toMatchObject({ state: 'failed', reason: { code: 'DAMAGED' } });
    await rig.stop();
    await rm(join(rig.workspace, 'jobs', id, 'state.json'));
    const server = await rig.start();
    expect(server.store.all()).toEqual([]);
    const other = await rig.submit(rigJob());
    expect(other.id).toMatch(new RegExp(`^${id}[0-9a-f]{4}$`)); // What is left of the other one stays where it is.
    expect(stateOf(await rig.ended(other.id))).toBe('finished');
  });
});

describe('a full disk', () => {
  it.each(['checkpoint', 'spool'])(
    'under %s pauses a job, which says so and goes on by itself once there is space',
    async (where) => {
      let full = false;
      const enospc = () => Object.assign(new Error('no space left on device'), { code: 'ENOSPC', syscall: 'write' });
      const disk: Disk = {
        ...nodeDisk,
        async open(path, mode, access) {
          const file = await nodeDisk.open(path, mode, access);
          if (!path.includes(where)) return file;
          return { ...file, write: async (parts, at) => (full ? Promise.reject(enospc()) : file.write(parts, at)) };
        },
      };
      /** Half a minute is over at once. */
      const clock = {
        ...nodeClock,
        after: (ms: number, act: () => void) => nodeClock.after(ms === 30_000 ? 100 : ms, act),
      };
      const server = await rig.start({}, { disk, clock });
      await both();
      const { id } = await rig.submit(rigJob());
      await runEvent(id, 'round-finished', { round: 0 });
      full = true;
      const paused = await rig.until(
        (event) => event.kind === 'job' && event.job.history.at(-1)?.reason?.code === 'DISK',
      );
      expect(paused).toMatchObject({
        job: {
          history: expect.arrayContaining([
            expect.objectContaining({
              state: 'queued',
              reason: expect.objectContaining({
                message: expect.stringMatching(/the disk is full \(ENOSPC\)/),
              }),
            }),
          ]),
        },
      });
      expect(server.jobs.waitsFor(id)).toMatchObject({ code: 'paused', reason: { code: 'DISK' } });
      full = false;
      expect(stateOf(await rig.ended(id))).toBe('finished');
      expect(numbers(finalModel(id))).toEqual([3, 3, 3, 3]);
    },
  );
});
