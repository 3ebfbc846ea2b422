import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { audit, both, finalModel, forever, numbers, rig, runEvent, states } from '../../../test/support/running-server';
import { movedBy, rigJob } from '../../../test/support/server-rig';
import { nodeClock } from '../../util/clock';
import { nodeDisk } from '../../util/node-disk';
import { verifyAudit } from '../audit';
import type { ServerEvent } from './federation-server';
import { stateOf } from './stored-job';

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
    const left = await nodeDisk.list(join(rig.workspace, 'jobs'), { recursive: true });
    expect(left).toEqual([`${id}.deleted`]);
    expect((await rig.submit(rigJob())).id).toBe(`${id}-2`); // A site that was away would take it for the old one.
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
