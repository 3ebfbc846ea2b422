import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { audit, both, finalModel, numbers, rig, runEvent } from '../../../test/support/running-server';
import { rigJob } from '../../../test/support/server-rig';
import { fileBlob } from '../../transport/blobs';
import { nodeClock } from '../../util/clock';
import type { Disk } from '../../util/disk';
import { nodeDisk } from '../../util/node-disk';
import type { AdminClient } from '../admin/admin-client';
import { stateOf } from './stored-job';

/** No time-out of half a minute: that is when a full disk is tried again. */
const workflow = { kind: 'fed-avg', rounds: 3, minSites: 2, keyMetric: 'score', roundDeadlineSeconds: 100 };

describe('a server whose disk is full', () => {
  const enospc = () => Object.assign(new Error('no space left on device'), { code: 'ENOSPC', syscall: 'write' });
  /** A disk that takes no more wherever `isFull` says so, and tells it once. */
  const fullDisk = (isFull: (path: string) => boolean): Disk => ({
    ...nodeDisk,
    async open(path, mode, access) {
      const file = await nodeDisk.open(path, mode, access);
      return { ...file, write: async (parts, at) => (isFull(path) ? Promise.reject(enospc()) : file.write(parts, at)) };
    },
  });
  /** Half a minute is over when the test says so. */
  const handClock = () => {
    let tryAgain = () => {};
    const after = (ms: number, act: () => void) => {
      if (ms !== 30_000) return nodeClock.after(ms, act);
      tryAgain = act;
      return () => {};
    };
    return { clock: { ...nodeClock, after }, tryAgain: () => tryAgain() };
  };
  const submit = async (ada: AdminClient) => {
    const { file, ref, hash } = await rig.bundle(rigJob({ workflow }));
    ada.offer(fileBlob(nodeDisk, file, ref));
    return ada.call('submit', { bundle: ref, hash });
  };

  it('does not take a submission that cannot be recorded: nothing is left of it, and the same can be submitted again', async () => {
    for (const where of ['audit.jsonl', '.making', 'incoming']) {
      let full = false;
      const server = await rig.start({}, { disk: fullDisk((path) => full && path.includes(where)) });
      full = true;
      const ada = await rig.person('ada');
      const refused = await submit(ada).catch((error: unknown) => error);
      expect(refused).toMatchObject({
        tag: 'WorkspaceError',
        message: 'The server cannot work on its disk: the disk is full (ENOSPC).',
        hint: expect.stringMatching(/^Whoever runs the server has to make room there/),
      });
      expect(server.store.all()).toEqual([]);
      const left = await nodeDisk.list(join(rig.workspace, 'jobs'));
      expect(left.filter((name) => !name.endsWith('.deleted'))).toEqual([]);
      full = false;
      expect(await submit(ada)).toMatchObject({ created: true });
      const [job] = server.store.all();
      await server.jobs.abort(job!, await rig.identity('ada'), 'enough');
      await server.jobs.remove(server.job(job!.id), await rig.identity('ada'));
      rig.kill();
    }
  });

  it('takes a submission that it can no longer put into the queue: it waits for the disk, says so, and runs', async () => {
    let full = false;
    const { clock, tryAgain } = handClock();
    await rig.start({}, { disk: fullDisk((path) => full && /jobs.small-/.test(path)), clock });
    const ada = await rig.person('ada');
    full = true;
    const { job, created } = await submit(ada);
    expect(created).toBe(true);
    expect((await ada.call('show', { job })).waitsFor).toMatchObject({ code: 'paused', reason: { code: 'DISK' } });
    expect(await submit(ada)).toMatchObject({ job, created: false });
    full = false;
    tryAgain();
    await both();
    expect(stateOf(await rig.ended(job))).toBe('finished');
    await rig.stop();
    const log = readFileSync(join(rig.workspace, 'log.txt'), 'utf8');
    expect(log).toMatch(new RegExp(`Cannot write .*jobs.${job}.*: the disk is full`)); // For whoever has to make room.
    expect(audit().filter(({ event }) => event === 'submitted')).toHaveLength(1);
  });

  it('takes a submission, and the server that is killed then runs it at its next start', async () => {
    let full = false;
    await rig.start({}, { disk: fullDisk((path) => full && /jobs.small-/.test(path)) });
    const ada = await rig.person('ada');
    full = true;
    const { job } = await submit(ada);
    rig.kill();
    await rig.start();
    await both();
    expect(stateOf(await rig.ended(job))).toBe('finished');
  });

  it.each(['checkpoint', 'spool'])(
    'under %s pauses a job, which says so and goes on by itself once there is space',
    async (where) => {
      let full = false;
      const { clock, tryAgain } = handClock();
      const server = await rig.start({}, { disk: fullDisk((path) => full && path.includes(where)), clock });
      await both();
      const { id } = await rig.submit(rigJob({ workflow }));
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
                message: 'The server cannot work on its disk: the disk is full (ENOSPC).', // Its log names the file.
              }),
            }),
          ]),
        },
      });
      expect(server.jobs.waitsFor(id)).toMatchObject({ code: 'paused', reason: { code: 'DISK' } });
      expect(server.job(id).finishedRounds).toBeGreaterThan(0); // For whoever looks at it meanwhile.
      full = false;
      tryAgain();
      expect(stateOf(await rig.ended(id))).toBe('finished');
      expect(numbers(finalModel(id))).toEqual([3, 3, 3, 3]);
    },
  );
});
