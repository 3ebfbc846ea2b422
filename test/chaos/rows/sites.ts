/** Sites are killed, stopped, late, doubled: rows C-11 to C-22. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { descendantsOf } from '../chaos-federation';
import { type ChaosRow, row, type Scene, survives } from '../row';
import type { Stage } from '../stage';
import { left, pause, rssOf, tolerant } from './moments';

const budgetSeconds = 8;

/** A site ends by itself at a point, and is started again. */
function siteStruckAt(failpoint: string): Pick<Scene, 'act' | 'federation' | 'budgetSeconds'> {
  return {
    federation: { first: { 'site-1': { failpoint } } },
    budgetSeconds,
    async act(stage) {
      expect((await stage.member('site-1').exited).signal).toBe('SIGKILL');
      await stage.start('site-1');
    },
  };
}

/** Frames of each kind, and which of them gets lost. */
const lost: readonly (readonly [member: string, type: string, nth: number])[] = [
  ['site-1', 'hello', 1],
  ['server', 'welcome', 1],
  ['server', 'job', 1],
  ['site-1', 'job-answer', 1],
  ['server', 'task', 2],
  ['site-1', 'want', 2],
  ['server', 'chunk', 2],
  ['site-1', 'got', 2],
  ['site-1', 'answer', 2],
  ['server', 'want', 2],
  ['site-1', 'chunk', 2],
  ['server', 'got', 2],
  ['server', 'answered', 2],
  ['site-1', 'beat', 2],
  ['server', 'beat', 3],
  ['server', 'end-job', 1],
];

function loses([member, type, nth]: (typeof lost)[number]): ChaosRow {
  const federation = { first: { [member]: { tamper: { frames: { what: 'drop', type, nth } as const } } } };
  const from = member === 'server' ? 'the server' : 'a site';
  return survives(
    'C-14',
    `one '${type}' from ${from} is lost`,
    {
      federation,
      budgetSeconds: 15,
      job: { trainMs: 500 },
      async check(stage) {
        await stage.member(member).said(/tampered: drop/);
        await Promise.all(stage.sites.map((site) => stage.member(site).said(/job finished/)));
      },
    },
    { often: type === 'task' },
  );
}

const stopped = (during: 'training' | 'upload') =>
  survives('C-15', `SIGSTOP of a site for 3 s, less than it takes to be taken for dead: ${during}`, {
    budgetSeconds,
    job: { trainMs: 1000, rounds: 3, parameters: 500_000 },
    async act(stage, course) {
      if (during === 'training') await course.training('site-1', 1);
      else await stage.proxy('site-1').carried('to-server', 1e6);
      await pause(stage, 'site-1', 3000);
    },
    check: (stage) => expect(left(stage)).toEqual([]),
  });

export const siteRows: readonly ChaosRow[] = [
  survives('C-11', 'kill -9 of a site: while it trains', {
    budgetSeconds,
    job: { trainMs: 1000, rounds: 3 },
    mayRetrain: ['site-1'],
    async act(stage, course) {
      await course.training('site-1', 1);
      await stage.kill('site-1');
      await stage.start('site-1');
    },
  }),
  survives('C-11', 'kill -9 of a site: just after its answer is kept', siteStruckAt('answer-kept:2')),
  survives(
    'C-12',
    'kill -9 of a site: answer sent, acknowledgement not received',
    {
      ...siteStruckAt('answer-told:2'),
      check: (stage) => expect(stage.member('site-1').log()).toMatch(/answer duplicate/),
    },
    { often: true },
  ),
  survives('C-13', 'kill -9 of a site: in the middle of its upload', {
    federation: { first: { 'site-1': { failpoint: 'chunk-sent:32' } } },
    budgetSeconds: 15,
    job: { parameters: 4 << 20, rounds: 1 },
    async act(stage) {
      const bytes = () => stage.proxy('site-1').bytes['to-server'];
      expect((await stage.member('site-1').exited).signal).toBe('SIGKILL');
      const before = bytes();
      await stage.start('site-1');
      await stage.audited(({ event, site }) => event === 'answer-accepted' && site === 'site-1');
      expect(bytes() - before, 'bytes that came again or for the first time').toBeLessThan(0.65 * (16 << 20));
    },
  }),
  ...lost.map(loses),
  stopped('training'),
  stopped('upload'),
  survives(
    'C-16',
    'a training that leaves its thread no moment for 60 s',
    {
      federation: { sites: 2 },
      budgetSeconds: 20,
      job: { trainMs: 60_000, how: 'spin', rounds: 1 },
      check: (stage) => expect(left(stage)).toEqual([]),
    },
    { patient: true },
  ),
  survives(
    'C-17',
    'SIGSTOP of a site for ever: rounds close without it; SIGCONT later: it takes part again',
    {
      budgetSeconds: 40,
      job: { ...tolerant, rounds: 8, trainMs: 700 },
      mayMiss: ['site-3'],
      async act(stage, course) {
        await course.training('site-3', 1);
        const wake = await pause(stage, 'site-3');
        await course.finished(2);
        wake();
      },
      async check(stage, _, { history }) {
        const statusIn = (round: number) => history[round]!.sites.find(({ name }) => name === 'site-3')!.status;
        expect([statusIn(0), statusIn(1), statusIn(2), statusIn(7)]).toEqual(['ok', 'late', 'late', 'ok']);
        const counted = stage.audit().filter(({ event, site }) => event === 'answer-accepted' && site === 'site-3');
        for (const { round } of counted) expect(statusIn(Number(round)), `round ${round}`).toBe('ok');
      },
    },
    { patient: true },
  ),
  row(
    'C-18',
    'all sites die in a round: the job fails for want of a quorum in time, and the server goes on',
    async (stage) => {
      const workflow = { roundDeadlineSeconds: 4, roundRetries: 1 };
      const course = stage.submit({ trainMs: 1000, workflow });
      await Promise.all(stage.sites.map((site) => course.training(site, 1)));
      await Promise.all(stage.sites.map((site) => stage.kill(site)));
      const died = Date.now();
      const failed = await stage.audited(({ event }) => event === 'failed');
      expect(failed).toMatchObject({ code: 'QUORUM' });
      expect(Date.parse(failed.time) - died).toBeLessThan(4000 * 2 + 2000 + 2000);
      await expect(course.result()).rejects.toMatchObject({ tag: 'QuorumError' });
      await Promise.all(stage.sites.map((site) => stage.start(site)));
      await stage.submit({ rounds: 1 }).result();
    },
  ),
  survives(
    'C-19',
    'a site flaps for 30 s: the server holds nothing more afterwards',
    {
      budgetSeconds: 60,
      job: { rounds: 12, trainMs: 500 },
      async act(stage, course) {
        await course.finished(0);
        const { pid } = stage.member('server');
        const before = [handlesOf(pid), rssOf(pid)] as const;
        const proxy = stage.proxy('site-1');
        for (let time = 0; time < 100; time++) {
          proxy.cut();
          await new Promise((resolve) => setTimeout(resolve, 300));
        }
        await course.finished(11);
        expect(handlesOf(pid) - before[0], 'file descriptors').toBeLessThan(8);
        expect(rssOf(pid) - before[1], 'MB').toBeLessThan(40);
        expect(most(stage), 'sessions of a site at one time').toBe(1);
      },
    },
    { patient: true },
  ),
  survives('C-20', 'a site is started twice: no two of its answers count', {
    budgetSeconds: 30,
    job: { trainMs: 700, siteConfig: { stateless: true } },
    mayRetrain: ['site-1'],
    async act(stage, course) {
      await course.training('site-1', 1);
      const first = stage.member('site-1');
      const second = await stage.start('site-1', { workspace: join(stage.place, 'twice') });
      await course.finished(2);
      expect(`${first.log()}${second.log()}`).toMatch(/connected anew/);
      second.signal('SIGTERM');
      await second.exited;
    },
  }),
  survives('C-21', 'a site joins in round 3', {
    federation: { later: ['site-3'] },
    budgetSeconds: 30,
    job: { ...tolerant, rounds: 6, trainMs: 500 },
    mayMiss: ['site-3'],
    async act(stage, course) {
      await course.finished(2);
      await stage.start('site-3');
    },
    check(_, __, { history }) {
      const statuses = history.map(({ sites }) => sites.find(({ name }) => name === 'site-3')!.status);
      expect([statuses[2], statuses.at(-1)]).toEqual(['late', 'ok']);
    },
  }),
  survives('C-21', 'a site leaves for ever in round 2', {
    budgetSeconds: 30,
    job: { ...tolerant, trainMs: 500 },
    mayMiss: ['site-3'],
    async act(stage, course) {
      await course.training('site-3', 2);
      await stage.kill('site-3');
    },
    check(_, __, { history }) {
      const missed = history.filter(({ sites }) => sites.some(({ status }) => status !== 'ok'));
      expect(missed.map(({ round }) => round)).toEqual([2, 3, 4, 5]);
    },
  }),
  survives('C-31', "kill -9 of a job's process at a site: it misses the round, and comes back", {
    budgetSeconds: 20,
    job: { ...tolerant, trainMs: 1000 },
    mayMiss: ['site-3'],
    mayRetrain: ['site-3'],
    async act(stage, course) {
      await course.training('site-3', 1);
      for (const pid of descendantsOf(stage.member('site-3').pid)) process.kill(pid, 'SIGKILL');
    },
    check(_, __, { history }) {
      const missed = history.flatMap(({ round, sites }) =>
        sites.flatMap(({ status, reason }) => (status === 'ok' ? [] : [{ round, status, reason }])),
      );
      expect(missed[0]).toMatchObject({ round: 1, status: 'failed' });
      expect(history.at(-1)!.sites.map(({ status }) => status)).toEqual(['ok', 'ok', 'ok']);
    },
  }),
];

function handlesOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Most sessions that a site had at one time, as the audit log counts them. */
function most(stage: Stage): number {
  let open = 0;
  let largest = 0;
  for (const { event, site } of stage.audit()) {
    if (site !== 'site-1') continue;
    if (event === 'joined') open++;
    if (event === 'left') open--;
    largest = Math.max(largest, open);
  }
  return largest;
}
