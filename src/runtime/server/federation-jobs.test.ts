import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  audit,
  both,
  finalModel,
  fits,
  forever,
  numbers,
  rig,
  runEvent,
  states,
} from '../../../test/support/running-server';
import { movedBy, rigJob } from '../../../test/support/server-rig';
import { nodeDisk } from '../../util/node-disk';
import { defineAggregator } from '../define-part';
import { stateOf } from './stored-job';

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
        message: expect.stringMatching(/needs 2 sites, but only 0 answered: site-1 failed: .*; site-2 failed: .*\.$/),
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
    expect(server.job(id)).toMatchObject({ withdrawn: { 'site-2': 'by keeper: my machine' } });
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
    await rig.stop(); // Its log is whole then.
    const line = readFileSync(join(rig.workspace, 'log.txt'), 'utf8')
      .split('\n')
      .find((one) => one.includes('failed: '));
    expect(line).toMatch(
      /failed: Round 0 .*no scripts here\. Mend the cause; then 'consilium clone .*' runs the job anew\./,
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
    expect(other.id).toBe(`${id}-2`); // What is left of the other one stays where it is.
    expect(stateOf(await rig.ended(other.id))).toBe('finished');
  });
});
