/** The server is killed, and comes back: rows C-01 to C-09. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { checkpointStore } from '../../../src/runtime/checkpoint';
import { stream } from '../../../src/util/streams';
import { type ChaosRow, type Scene, survives } from '../row';
import type { Course, Stage } from '../stage';

const budgetSeconds = 8;

/** The server ends by itself at each of these points, in one process after another, once a round is over. */
function struckAt(...failpoints: readonly string[]): Pick<Scene, 'act' | 'budgetSeconds'> {
  return {
    budgetSeconds: budgetSeconds * failpoints.length,
    async act(stage, course) {
      await course.finished(0);
      await stage.strike('server', ...failpoints);
    },
  };
}

/** What a reader finds in the checkpoint of a job just after the server was killed. */
async function readableCheckpoint(course: Course): Promise<number> {
  const folder = join(course.folder(), course.toy.name, 'server', 'simulate_job', 'app_server', 'checkpoint');
  const found = await checkpointStore(folder, { keepAll: true }).load(() => {});
  return found!.round;
}

/** Killed at one moment of writing a checkpoint: there is one to read at once. */
function struckInCheckpoint(failpoint: string): Pick<Scene, 'act' | 'budgetSeconds'> {
  return {
    budgetSeconds,
    async act(stage, course) {
      await course.finished(0);
      await stage.kill('server');
      const { exited } = await stage.start('server', { failpoint });
      expect((await exited).signal).toBe('SIGKILL');
      expect(await readableCheckpoint(course)).toBeGreaterThan(0);
      await stage.start('server');
    },
  };
}

/** Every round was reported once: none was repeated. */
function reportedOnce(_: Stage, { events }: Course): void {
  const rounds = events.flatMap((event) => (event.kind === 'round-finished' ? [event.round] : []));
  expect(rounds).toEqual([...new Set(rounds)]);
}

function toldDuplicate({ member, sites }: Stage): void {
  const told = sites.filter((site) => /answer duplicate/.test(member(site).log()));
  expect(told.length, 'sites that were told so').toBeGreaterThan(0);
}

export const serverCrashes: readonly ChaosRow[] = [
  survives('C-00', 'nothing goes wrong', { budgetSeconds: 0 }, { often: true }),
  survives('C-01', 'kill -9 of the server: after accept, before the spool is written', struckAt('answer-offered')),
  survives('C-02', 'kill -9 of the server: spool written, not flushed', struckAt('blob-written')),
  survives('C-03', 'kill -9 of the server: spool flushed, before the journal', struckAt('blob-flushed')),
  survives('C-03', 'kill -9 of the server: taken into the journal, not flushed there', struckAt('update-renamed')),
  survives('C-04', 'kill -9 of the server: journal flushed, before the acknowledgement', {
    ...struckAt('update-kept'),
    check: toldDuplicate,
  }),
  survives('C-05', 'kill -9 of the server: in the middle of adding up', struckAt('update-added:2')),
  survives('C-06', 'kill -9 of the server: checkpoint written, not flushed', struckInCheckpoint('file-written@state-')),
  survives('C-06', 'kill -9 of the server: checkpoint flushed, not renamed', struckInCheckpoint('file-flushed@state-')),
  survives('C-06', 'kill -9 of the server: checkpoint renamed, folder not flushed', {
    ...struckInCheckpoint('file-renamed@state-'),
    check: reportedOnce,
  }),
  survives('C-06', 'kill -9 of the server: just after the checkpoint has switched', {
    ...struckInCheckpoint('checkpoint-switched'),
    check: reportedOnce,
  }),
  survives('C-06', 'kill -9 of the server: the model of a checkpoint written, not flushed', {
    ...struckInCheckpoint('file-written@model-'),
  }),
  survives('C-07', 'kill -9 of the server: while it sends the model, each site at another byte', {
    budgetSeconds: 2 * budgetSeconds,
    job: { parameters: modelBytes() / 4, rounds: 3 },
    async act(stage, course) {
      const { proxy, sites } = stage;
      await course.finished(0);
      await stage.kill('server');
      sites.forEach((site, i) => {
        proxy(site).faults.bytesPerSecond = (i + 1) * 3e6;
      });
      const before = sites.map((site) => proxy(site).bytes['to-client']);
      const { exited } = await stage.start('server', { failpoint: 'chunk-sent:60' });
      await exited;
      const had = sites.map((site, i) => proxy(site).bytes['to-client'] - before[i]!);
      expect(Math.max(...had)).toBeGreaterThan(modelBytes() / 8);
      await stage.start('server');
      await course.training('site-1', 1);
      await Promise.all(sites.map((site) => course.training(site, 1)));
      for (const site of sites) proxy(site).heal();
      sites.forEach((site, i) => {
        const all = proxy(site).bytes['to-client'] - before[i]!;
        expect(all, `bytes to ${site}, of which ${had[i]} came before`).toBeLessThan(modelBytes() + 1.2e6);
      });
    },
  }),
  survives(
    'C-08',
    'kill -9 of the server, and five times more while it recovers',
    struckAt('file-written', 'file-flushed', 'file-renamed', 'file-written:2', 'update-added'),
    { often: true },
  ),
  survives(
    'C-09',
    'kill -9 of the server at random moments, every 1 to 3 s for 60 s',
    {
      budgetSeconds: 120,
      job: { rounds: 20, trainMs: 2000 },
      async act(stage, course) {
        await course.training('site-1', 0);
        const random = stream(9, 'kills');
        const end = performance.now() + 60_000;
        // For so long, and so often, however slowly it starts on this machine just now.
        for (let kills = 0; performance.now() < end || kills < 15; kills++) {
          await new Promise((resolve) => setTimeout(resolve, 1000 + 2000 * random.random()));
          await stage.kill('server');
          await stage.start('server');
        }
      },
    },
    { patient: true },
  ),
];

/** A model of many chunks. */
function modelBytes(): number {
  return 8 << 20;
}
