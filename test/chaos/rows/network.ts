/** The network between a site and the server: rows C-23 to C-30. */
import { expect } from 'vitest';
import { type ChaosRow, survives } from '../row';
import { cutFor, left, type Moment, moments, reach, slowJob } from './moments';

function cut(moment: Moment, seconds: number): ChaosRow {
  return survives(
    'C-23',
    `no connection for ${seconds} s: ${moment}`,
    {
      budgetSeconds: seconds + 25,
      job: slowJob,
      async before(stage) {
        if (moment === 'idle') await cutFor(stage, 'site-1', seconds * 1000);
      },
      async act(stage, course) {
        if (moment === 'idle') return;
        await reach(moment, stage, course);
        await cutFor(stage, 'site-1', seconds * 1000);
      },
    },
    { patient: seconds > 10, often: moment === 'upload' && seconds === 6 },
  );
}

export const networkRows: readonly ChaosRow[] = [
  ...[1, 6, 60].flatMap((seconds) => moments.map((moment) => cut(moment, seconds))),
  survives('C-24', 'half-open in the middle of an upload: noticed in time, and the upload goes on', {
    budgetSeconds: 25,
    job: slowJob,
    async act(stage, course) {
      await reach('upload', stage, course);
      stage.proxy('site-1').halfOpen();
      const cutAt = Date.now();
      const noticed = await stage.audited(({ event, site }) => event === 'left' && site === 'site-1');
      expect(Date.parse(noticed.time) - cutAt).toBeLessThan(6000 + 2000);
      stage.proxy('site-1').heal();
    },
  }),
  survives('C-25', 'nothing comes from the server, all goes there: the site notices', {
    budgetSeconds: 25,
    job: slowJob,
    async act(stage, course) {
      await reach('training', stage, course);
      stage.proxy('site-1').faults.lost.add('to-client');
      await stage.member('site-1').said(/Nothing came from 'server'/);
      stage.proxy('site-1').heal();
    },
  }),
  survives('C-26', 'a delay of 200 ms, and up to 100 ms more: nobody is taken for dead', {
    budgetSeconds: 25,
    async before(stage) {
      for (const site of stage.sites) Object.assign(stage.proxy(site).faults, { delayMs: 200, jitterMs: 100 });
    },
    check: (stage) => expect(left(stage)).toEqual([]),
  }),
  survives(
    'C-27',
    'a line of 256 KB/s and a model of 18.8 MB: 73 s each way, and nobody is taken for dead',
    {
      budgetSeconds: 260,
      job: { parameters: 4_702_227, rounds: 1, workflow: { roundDeadlineSeconds: 400 } },
      async before(stage) {
        stage.proxy('site-1').faults.bytesPerSecond = 256 * 1024;
      },
      async act(stage, course) {
        await course.training('site-1', 0);
        await stage.proxy('site-1').carried('to-server', 18.5e6);
        stage.proxy('site-1').heal();
      },
      check: (stage) => expect(left(stage)).toEqual([]),
    },
    { patient: true },
  ),
  survives('C-28', 'every frame comes twice', {
    federation: {
      first: Object.fromEntries(
        ['server', 'site-1', 'site-2', 'site-3'].map((name) => [
          name,
          { tamper: { frames: { what: 'double', type: '*' } as const } },
        ]),
      ),
    },
    budgetSeconds: 15,
    check: (stage) => expect(left(stage)).toEqual([]),
  }),
  survives('C-30', 'a wrong bit in a chunk of an answer: it comes again', {
    federation: { first: { 'site-1': { tamper: { frames: { what: 'flip', type: 'chunk', nth: 3 } } } } },
    budgetSeconds: 15,
    job: { parameters: 1 << 20, rounds: 2 },
    async check(stage) {
      await stage.member('site-1').said(/tampered: flip/);
      expect(left(stage)).toEqual([]);
    },
  }),
  survives('C-30', 'a wrong bit in a chunk of the model: it comes again', {
    federation: { first: { server: { tamper: { frames: { what: 'flip', type: 'chunk', nth: 9 } } } } },
    budgetSeconds: 15,
    job: { parameters: 1 << 20, rounds: 2 },
    check: (stage) => expect(left(stage)).toEqual([]),
  }),
];
