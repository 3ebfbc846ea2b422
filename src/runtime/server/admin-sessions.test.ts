import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { movedBy, rigJob, type ServerRig, serverRig } from '../../../test/support/server-rig';
import { type AdminMethod, adminMethods } from '../../protocol/admin-api';
import { decodeEntry, type RunEntry } from '../../protocol/run-event';
import { fileBlob } from '../../transport/blobs';
import { nodeClock } from '../../util/clock';
import { nodeDisk } from '../../util/node-disk';
import { sha256Of } from '../../util/sha256';
import type { AdminClient } from '../admin/admin-client';
import { downloadRun } from '../admin/download-run';
import { followJob } from '../admin/follow-job';

let rig: ServerRig;
beforeEach(async () => {
  rig = await serverRig();
});
afterEach(() => rig.close());

const both = (own = {}) => Promise.all([rig.site('site-1', own), rig.site('site-2', own)]);
const forever = (_: unknown, signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));

/** Submits a job as the command does: the server fetches the bundle. */
async function submit(client: AdminClient, name = 'ada', job = rigJob()) {
  const { file, ref, hash } = await rig.bundle(job, name);
  client.offer(fileBlob(nodeDisk, file, ref));
  return client.call('submit', { bundle: ref, hash });
}

async function entriesOf(client: AdminClient, job: string): Promise<RunEntry[]> {
  const entries: RunEntry[] = [];
  for await (const page of client.pages('logs', { job, from: 0, follow: true }))
    entries.push(...page.entries.map(decodeEntry));
  return entries;
}

describe('people at a server', () => {
  it('submit a job, follow it to its end, and look at it', async () => {
    await rig.start();
    await both();
    const ada = await rig.person('ada');
    const { job, created } = await submit(ada);
    expect(created).toBe(true);
    const kinds = (await entriesOf(ada, job)).map(({ event }) => event.kind);
    expect(kinds.filter((kind) => kind === 'round-finished')).toHaveLength(4);
    expect(kinds.at(-1)).toBe('done');
    expect(await submit(ada)).toEqual({ job, state: 'finished', created: false });
    const shown = await ada.call('show', { job });
    expect(shown.metrics).toEqual({ score: 3 });
    expect(shown).toMatchObject({
      job,
      state: 'finished',
      round: 3,
      rounds: 3,
      owner: 'ada',
      submitter: 'ada',
      org: 'North Hospital',
    });
    expect((await ada.call('server-info', {})).jobs).toMatchObject({ finished: 1, running: 0 });
    const lists = [];
    for await (const page of ada.pages('jobs', {})) lists.push(...page.jobs.map((one) => one.job));
    expect(lists).toEqual([job]);
    expect(rig.troubles).toEqual([]);
  });

  it('see whom a running job waits for, what its sites say of it, and which sites there are', async () => {
    await rig.start();
    await rig.site('site-1', { train: forever });
    await rig.site('site-2');
    const ada = await rig.person('ada');
    const { job } = await submit(ada);
    await rig.until((event) => event.kind === 'hub' && event.event.kind === 'answered');
    expect(await ada.call('show', { job })).toMatchObject({
      state: 'running',
      sites: [
        { name: 'site-1', connected: true, verdict: 'accepted' },
        { name: 'site-2', connected: true, verdict: 'accepted' },
      ],
      waiting: [{ site: 'site-1', task: 'train', round: 0, what: 'is at work' }],
    });
    for await (const { sites } of ada.pages('sites', {})) {
      expect(sites).toMatchObject([
        { name: 'site-1', org: 'North Hospital', connected: true, resources: { slots: 4 }, jobs: [job] },
        { name: 'site-2', org: 'South Hospital', connected: true, jobs: [job] },
      ]);
    }
  });

  it('read the reason of an abort as one line, whatever somebody has typed there', async () => {
    const server = await rig.start();
    const ada = await rig.person('ada');
    const { job } = await submit(ada);
    await ada.call('abort', { job, reason: '\x1b[2Jenough\n2026-11-27T15:50:00.000Z site-2: answer accepted\x07' });
    const message = 'by ada: [2Jenough 2026-11-27T15:50:00.000Z site-2: answer accepted';
    expect((await ada.call('show', { job })).reason).toMatchObject({ code: 'ABORTED', message });
    expect(server.job(job).history.at(-1)?.reason?.message).toBe(message);
  });

  it('see which site has its startup kit in use at two places', async () => {
    await rig.start();
    await Promise.all([rig.site('site-1'), rig.site('site-1'), rig.site('site-2')]);
    const replaced = () => rig.events.filter((event) => event.kind === 'hub' && event.event.kind === 'site-replaced');
    await rig.until(() => replaced().length >= 3);
    const ada = await rig.person('ada');
    for await (const { sites } of ada.pages('sites', {})) {
      expect(sites.map(({ name, usedTwice }) => [name, usedTwice])).toEqual([
        ['site-1', true],
        ['site-2', undefined],
      ]);
    }
  });

  it('download the files of a run that has ended, each once, and are told when another file is in the way', async () => {
    await rig.start();
    await both();
    const ada = await rig.person('ada');
    const { job } = await submit(ada);
    const out = join(rig.folder, 'out');
    const signal = new AbortController().signal;
    await rig.ended(job);
    expect((await ada.call('show', { job })).sites.map(({ verdict }) => verdict)).toEqual(['accepted', 'accepted']);
    const files = await downloadRun(ada, job, out, { signal });
    const run = join(rig.workspace, 'jobs', job, 'small');
    expect(files.map(({ path }) => path)).toContain('server/simulate_job/app_server/FL_global_model.pt');
    expect(files.some(({ path }) => path.includes('checkpoint'))).toBe(false);
    for (const { path, sha256 } of files) {
      expect(sha256Of(readFileSync(join(out, path)))).toBe(sha256);
      expect(readFileSync(join(out, path)).equals(readFileSync(join(run, path)))).toBe(true);
    }
    const model = join(out, 'server/simulate_job/app_server/FL_global_model.pt');
    await rm(model);
    await downloadRun(await rig.person('ada'), job, out, { signal });
    expect(readFileSync(model).length).toBeGreaterThan(0);
    await writeFile(model, 'mine');
    await expect(downloadRun(await rig.person('ada'), job, out, { signal })).rejects.toThrow(
      'is there already, and is another file',
    );
    expect(readFileSync(model, 'utf8')).toBe('mine');
  });

  it('are told when a job is deleted while they download it', async () => {
    const server = await rig.start();
    await both();
    const ada = await rig.person('ada');
    const { job } = await submit(ada);
    await rig.ended(job);
    const by = await rig.identity('ada');
    const signal = new AbortController().signal;
    let removed: Promise<void> | undefined;
    const client: AdminClient = {
      ...ada,
      async fetch(ref, sink, stop) {
        removed ??= server.jobs.remove(server.job(job), by);
        await removed;
        await ada.fetch(ref, sink, stop);
      },
    };
    await expect(downloadRun(client, job, join(rig.folder, 'out'), { signal })).rejects.toMatchObject({
      tag: 'RefusedError',
      message: `The job '${job}' was deleted while its files were downloaded.`,
      hint: expect.stringContaining('consilium jobs'),
    });
    await expect(downloadRun(ada, job, join(rig.folder, 'out'), { signal })).rejects.toThrow(/^There is no job/);
  });

  it('may do what their role says, and are told who may do the rest', async () => {
    await rig.start();
    await rig.site('site-1', { train: forever });
    await rig.site('site-2', { train: forever });
    const [ada, grace, keeper] = await Promise.all(['ada', 'grace', 'keeper'].map((name) => rig.person(name)));
    const { job } = await submit(grace!, 'grace');
    await rig.until((event) => event.kind === 'run' && event.event.kind === 'round-started');
    // Not to clone either: sites judge a job by who has signed it.
    for (const method of ['abort', 'delete', 'clone'] as const) {
      await expect(ada!.call(method, { job })).rejects.toMatchObject({
        tag: 'RefusedError',
        message: expect.stringContaining("jobs of their own only, and this one is of 'grace'"),
        hint: 'Ask an admin of the project.',
      });
    }
    await expect(ada!.call('download', { job })).rejects.toThrow('its files are not complete');
    for (const method of ['submit', 'clone', 'download', 'delete'] as AdminMethod[]) {
      const params =
        method === 'submit' ? { bundle: { sha256: 'a'.repeat(64), size: 1 }, hash: 'a'.repeat(64) } : { job };
      await expect(keeper!.call(method, params as never), method).rejects.toThrow('a site-admin may not do that');
    }
    await expect(keeper!.call('abort', { job })).rejects.toThrow('own organisation');
    await expect(keeper!.call('abort', { job, site: 'site-1' })).rejects.toThrow('own organisation');
    await keeper!.call('abort', { job, site: 'site-2' });
    expect((await ada!.call('show', { job })).sites[1]).toMatchObject({
      name: 'site-2',
      verdict: 'withdrawn',
      reason: 'by keeper',
    });
    expect(await grace!.call('abort', { job, reason: 'enough' })).toEqual({ job, state: 'aborted' });
    expect((await ada!.call('show', { job })).reason).toEqual({ code: 'ABORTED', message: 'by grace: enough' });
  });

  it('are told in words when they ask for what there is not, or in a way that is none', async () => {
    await rig.start();
    const ada = await rig.person('ada');
    for (const method of ['show', 'abort', 'clone', 'delete', 'download'] as const) {
      await expect(ada.call(method, { job: 'none' }), method).rejects.toMatchObject({
        message: "There is no job 'none'.",
      });
    }
    await expect(ada.call('logs', { job: 'none', from: 0, follow: true })).rejects.toThrow("There is no job 'none'.");
    await expect(ada.call('toString' as 'show', { job: 'x' })).rejects.toThrow("This server has no method 'toString'.");
    for (const method of Object.keys(adminMethods) as AdminMethod[]) {
      await expect(ada.call(method, { unknown: 1 } as never), method).rejects.toThrow(
        `The parameters of '${method}' are wrong`,
      );
    }
    await expect(ada.call('show', { job: '../../etc' })).rejects.toThrow('job');
    expect((await ada.call('server-info', {})).you).toEqual({ name: 'ada', role: 'researcher' }); // And it goes on.
  });

  it('follow a job through a restart of the server, and miss nothing', async () => {
    await rig.start();
    let release = () => {};
    // A server that stops leaves its sites at work: this one has its answer when the server is back.
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    await rig.site('site-1', {
      async train(task) {
        if (task.kind === 'train' && task.round === 1) await released;
        return movedBy(1, 'site-1', task);
      },
    });
    await rig.site('site-2');
    const ada = await rig.person('ada');
    const { job } = await submit(ada);
    const entries: RunEntry[] = [];
    const lost: string[] = [];
    const signal = new AbortController().signal;
    const following = (async () => {
      const connect = () => rig.person('ada');
      const all = followJob(job, { connect, clock: nodeClock, lost: ({ message }) => lost.push(message), signal });
      for (;;) {
        const { value, done } = await all.next();
        if (done) return value;
        entries.push(value);
      }
    })();
    await rig.until((event) => event.kind === 'run' && event.event.kind === 'round-started' && event.event.round === 1);
    await rig.stop();
    await rig.start();
    release();
    expect(await following).toMatchObject({ state: 'finished' });
    expect(lost[0]).toContain('The server is stopping');
    const kept = entries.filter(({ event }) => event.kind !== 'progress').map(({ n }) => n);
    expect(kept).toEqual(numbersInFile(rig, job));
    const starts = entries.flatMap(({ event }) => (event.kind === 'started' ? [event.resumedAt] : []));
    expect(starts).toEqual([undefined, 1]);
  });
});

/** Of all that the server has kept of a job's events. */
function numbersInFile({ workspace }: ServerRig, job: string): number[] {
  const lines = readFileSync(join(workspace, 'jobs', job, 'events.jsonl'), 'utf8')
    .trimEnd()
    .split('\n');
  return lines.map((line) => JSON.parse(line).n);
}
