import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rigJob, type ServerRig, serverRig } from '../../../test/support/server-rig';
import { stateOf } from '../server/stored-job';

let rig: ServerRig;
beforeEach(async () => {
  rig = await serverRig();
});
afterEach(() => rig.close());

const one = { sites: ['site-1'], workflow: { kind: 'fed-avg', rounds: 2, minSites: 1, keyMetric: 'score' } };

/** What the site has of a job, as its `job-state.json` says. */
async function keptState(job: string): Promise<{ readonly state: string; readonly reason: string }> {
  return JSON.parse(await readFile(join(siteFolder(), 'jobs', job, 'job-state.json'), 'utf8'));
}
const siteFolder = () => join(rig.folder, 'site-1');

describe('a site that has had thousands of jobs', () => {
  it('connects, takes part in the next one, and keeps what is left of the earlier ones', async () => {
    const bundle = { sha256: 'a'.repeat(64), size: 1000 };
    for (let i = 0; i < 2000; i++) {
      const folder = join(siteFolder(), 'jobs', `earlier-${i}`);
      await mkdir(folder, { recursive: true });
      const state = i % 100 === 0 ? 'refused' : 'ended';
      await writeFile(join(folder, 'job-state.json'), JSON.stringify({ version: 1, state, reason: 'was so', bundle }));
    }
    const account = (job: string) => join(siteFolder(), 'jobs', job, 'privacy', 'ledger.jsonl');
    for (const job of ['earlier-1', 'earlier-100']) {
      await mkdir(dirname(account(job)));
      await writeFile(account(job), 'what was spent\n');
    }
    await rig.start();
    const site = await rig.site('site-1');
    const { id } = await rig.submit(rigJob(one));
    expect(stateOf(await rig.ended(id))).toBe('finished');
    await site.stop();
    expect(await keptState('earlier-1')).toMatchObject({ state: 'ended', reason: 'was so' });
    const reason = expect.stringContaining('The server does not know this job.');
    expect(await keptState('earlier-100')).toMatchObject({ state: 'ended', reason });
    for (const job of ['earlier-1', 'earlier-100']) {
      expect(await readFile(account(job), 'utf8')).toBe('what was spent\n');
    }
  });
});

describe('a site that was away when a job came to its end', () => {
  it.each(['aborted', 'aborted and deleted', 'aborted, deleted and submitted anew'])(
    'is told when it is back that the job was %s',
    async (what) => {
      const server = await rig.start();
      let began = () => {};
      const begun = new Promise<void>((resolve) => {
        began = resolve;
      });
      const site = await rig.site('site-1', {
        train: (_, signal) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason));
            began();
          }),
      });
      const job = await rig.submit(rigJob(one));
      await begun;
      await site.stop();
      expect(await keptState(job.id)).toMatchObject({ state: 'accepted' });
      const ada = await rig.identity('ada');
      await server.jobs.abort(job, ada, 'no longer needed');
      if (what !== 'aborted') await server.jobs.remove(server.job(job.id), ada);
      const back = await rig.site('site-1');
      const anew = what.includes('anew');
      const next = await rig.submit(rigJob(anew ? one : { ...one, name: 'next' }));
      await rig.ended(next.id);
      await back.stop();
      expect(next.id).not.toBe(job.id); // It would go on where it was in the old one.
      await expect(keptState(next.id)).resolves.toMatchObject({ state: expect.stringMatching(/^(accepted|ended)$/) });
      const reason = what === 'aborted' ? 'no longer needed' : 'The server does not know this job.';
      expect(await keptState(job.id)).toMatchObject({ state: 'ended', reason: expect.stringContaining(reason) });
    },
  );
});
