/** Jobs and processes that are ended, clocks, loads, rosters, code that fails: rows C-32, C-33, and C-37 to C-44. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { expect } from 'vitest';
import { renew, revoke } from '../../../src/runtime/provision/provision';
import { descendantsOf } from '../chaos-federation';
import { type ChaosRow, row, survives } from '../row';
import type { Course, Stage } from '../stage';
import { left, reach, slowJob, tolerant } from './moments';

function aborted(phase: 'queued' | 'download' | 'training' | 'upload' | 'between rounds'): ChaosRow {
  const federation = phase === 'queued' ? { later: ['site-3'] } : {};
  return row(
    'C-32',
    `a job is aborted: ${phase}`,
    async (stage) => {
      const course = stage.submit({ ...slowJob, rounds: 5, ...(phase === 'training' && { trainMs: 20_000 }) });
      await reachPhase(phase, stage, course);
      const asked = Date.now();
      course.run.abort('It is enough.');
      await expect(course.result()).rejects.toMatchObject({ tag: 'AbortedError' });
      const ended = await stage.audited(({ event }) => event === 'aborted');
      expect(Date.parse(ended.time) - asked, 'until it is aborted').toBeLessThan(3000);
      stage.proxy('site-1').heal();
      if (phase !== 'queued') await Promise.all(stage.sites.map((site) => stage.member(site).said(/job aborted/)));
      for (const site of stage.sites) {
        if (phase !== 'queued') expect(await gone(stage.member(site).pid), `processes of ${site}`).toEqual([]);
      }
      expect(readdirSync(course.folder())).not.toContain('spool');
    },
    { federation },
  );
}

async function reachPhase(phase: string, stage: Stage, course: Course): Promise<unknown> {
  if (phase === 'queued')
    return course.heard(({ kind, ...event }) => kind === 'log' && /Waits/.test(String(Object.values(event))));
  if (phase === 'between rounds') return course.finished(0);
  if (phase === 'training') return course.training('site-1', 0);
  return reach(phase as 'download' | 'upload', stage, course);
}

/** Processes that a process still has, once those that are ending have ended. */
async function gone(pid: number): Promise<number[]> {
  for (let look = 0; look < 50 && descendantsOf(pid).length > 0; look++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return descendantsOf(pid);
}

function terminated(name: 'server' | 'site-1', phase: 'download' | 'training' | 'upload'): ChaosRow {
  return survives('C-33', `SIGTERM of ${name === 'server' ? 'the server' : 'a site'}: ${phase}`, {
    budgetSeconds: 25,
    job: slowJob,
    mayRetrain: ['site-1'],
    async act(stage, course) {
      await reach(phase, stage, course);
      const member = stage.member(name);
      const asked = performance.now();
      member.signal('SIGTERM');
      expect(await member.exited, member.log()).toEqual({ code: 0, signal: null });
      expect(performance.now() - asked).toBeLessThan(10_000);
      stage.proxy('site-1').heal();
      await stage.start(name);
    },
  });
}

function failsToTrain(fault: 'throws' | 'says nothing' | 'hangs' | 'exits'): ChaosRow {
  return survives(
    'C-43',
    `training code of a site ${fault}`,
    {
      budgetSeconds: 40,
      job: {
        rounds: 4,
        siteConfig: { stateless: true },
        workflow: { minSites: 2, graceSeconds: 3 },
        configOf: { 'site-3': { fault } },
      },
      mayMiss: ['site-3'],
      mayRetrain: ['site-3'],
      async check(stage, course, { history }) {
        const { status, reason } = history[1]!.sites.find(({ name }) => name === 'site-3')!;
        expect(status).toMatch(fault === 'throws' || fault === 'exits' ? /^failed$/ : /^(failed|late)$/);
        expect(reason).not.toContain('Doe');
        expect(JSON.stringify(course.events)).not.toContain('Doe');
        if (fault === 'throws') expect(stage.member('site-3').log()).toContain('Doe');
        for (const round of [0, 2])
          expect(history[round]!.sites.filter((site) => site.status === 'ok').length).toBeGreaterThan(1);
      },
    },
    { often: fault === 'exits' },
  );
}

const dayMs = 24 * 3600 * 1000;

function clockJumps(name: 'server' | 'site-1', jumpMs: number): ChaosRow {
  return survives(
    'C-37',
    `the clock of ${name === 'server' ? 'the server' : 'a site'} jumps by ${jumpMs / dayMs} day`,
    {
      federation: { first: { [name]: { tamper: { jumpMs } } } },
      budgetSeconds: 10,
      job: { trainMs: 800, rounds: 4 },
      async act(stage, course) {
        await course.training('site-1', 1);
        stage.member(name).signal('SIGUSR2');
        await course.training('site-1', 3);
        stage.member(name).signal('SIGUSR2');
      },
      check: (stage) => expect(left(stage)).toEqual([]),
    },
  );
}

export const lifecycleRows: readonly ChaosRow[] = [
  ...(['queued', 'download', 'training', 'upload', 'between rounds'] as const).map(aborted),
  ...(['server', 'site-1'] as const).flatMap((name) =>
    (['download', 'training', 'upload'] as const).map((phase) => terminated(name, phase)),
  ),
  clockJumps('server', dayMs),
  clockJumps('server', -dayMs),
  clockJumps('site-1', dayMs),
  clockJumps('site-1', -dayMs),
  survives('C-38', 'the server has no moment for anything for 3 s', {
    federation: { first: { server: { tamper: { blockMs: 3000 } } } },
    budgetSeconds: 12,
    job: { trainMs: 800 },
    async act(stage, course) {
      await course.training('site-1', 1);
      stage.member('server').signal('SIGUSR2');
    },
    check: (stage) => expect(left(stage)).toEqual([]),
  }),
  survives('C-39', 'a hundred connections, and no file descriptors left: sites that are connected do not feel it', {
    budgetSeconds: 20,
    job: { trainMs: 2000, rounds: 4 },
    async act(stage, course) {
      await course.training('site-1', 1);
      const { pid } = stage.member('server');
      const limit = (most: number) => spawnSync('prlimit', ['--pid', String(pid), `--nofile=${most}:4096`]);
      expect(limit(64).status).toBe(0);
      const sockets = Array.from({ length: 100 }, () => connect(stage.port, '127.0.0.1').on('error', () => {}));
      await new Promise((resolve) => setTimeout(resolve, 1000));
      for (const socket of sockets) socket.destroy();
      limit(4096);
      await course.finished(2);
      expect(left(stage)).toEqual([]);
    },
  }),
  survives('C-41', 'two jobs at once, and one of them fails: the other does not feel it', {
    budgetSeconds: 20,
    job: { trainMs: 400 },
    async act(stage) {
      const other = stage.submit({
        workflow: { siteErrors: 'fail' },
        configOf: { 'site-2': { fault: 'exits' } },
      });
      await expect(other.result()).rejects.toMatchObject({ tag: 'SiteFailedError' });
    },
  }),
  survives('C-42', 'a site is taken off the roster in the middle of a job', {
    budgetSeconds: 30,
    job: { ...tolerant, trainMs: 700 },
    mayMiss: ['site-3'],
    async act(stage, course) {
      await course.training('site-3', 1);
      const asked = Date.now();
      await revoke(stage.place, ['site-3']);
      const sent = await stage.audited(({ event, name }) => event === 'sent-away' && name === 'site-3');
      expect(Date.parse(sent.time) - asked).toBeLessThan(5000);
      await stage.audited(({ event, name, code }) => event === 'refused' && name === 'site-3' && code === 'revoked');
    },
  }),
  survives('C-42', 'a site gets a new certificate between two jobs: the one before is not let in any more', {
    budgetSeconds: 30,
    async before(stage) {
      await stage.submit({ rounds: 1 }).result();
      await renew(stage.place, ['site-3']);
      await stage.audited(({ event, name }) => event === 'sent-away' && name === 'site-3');
      await stage.audited(({ event, name }) => event === 'refused' && name === 'site-3');
      await stage.kill('site-3');
      await stage.start('site-3');
    },
  }),
  ...(['throws', 'says nothing', 'hangs', 'exits'] as const).map(failsToTrain),
  survives('C-44', "the filter of a site's policy refuses, its budget being spent: nothing of it leaves", {
    federation: {
      policies: {
        'site-3':
          'filters:\n  - filter: {kind: svt, fraction: 0.5, epsilon: 1, noiseVar: 1, gamma: 1, budget: 0.000001}\n',
      },
    },
    budgetSeconds: 20,
    job: tolerant,
    mayMiss: ['site-3'],
    check(stage, _, { history }) {
      const one = history[0]!.sites.find(({ name }) => name === 'site-3')!;
      expect(one.status).toBe('failed');
      expect(one.reason).toMatch(/budget/i);
      const trained = stage
        .audit()
        .filter(({ event, site, kind }) => event === 'answer-accepted' && site === 'site-3' && kind === 'train');
      expect(trained).toEqual([]);
    },
  }),
];
