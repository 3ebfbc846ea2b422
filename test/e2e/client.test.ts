import { setMaxListeners } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type JobInput, ProdEnv, parseJob, type Run } from '../../src';
import { verifyAudit } from '../../src/runtime/audit';
import { type LocalProcess, startLocalProcess } from '../../src/runtime/federation/local-process';
import { projectSpec } from '../../src/runtime/provision/project';
import { provision } from '../../src/runtime/provision/provision';
import { nodeDisk } from '../../src/util/node-disk';
import { sha256Of } from '../../src/util/sha256';
import { freePort } from '../support/free-port';

const root = mkdtempSync(join(tmpdir(), 'consilium-client-'));
const kit = (name: string) => join(root, 'kits', name);
const never = new AbortController().signal;
setMaxListeners(0, never); // One for each process that is waited for.
const jobFolder = join(root, 'job');
/** Trains by adding 1, or never ends where its seed says so. */
const script = `module.exports = async function train(site) {
  for await (const task of site.tasks()) {
    if (site.seed === 13) await new Promise(() => setInterval(() => {}, 1000));
    if (task.kind === 'validate') { await task.reply({ metrics: { score: task.round } }); continue; }
    const w = task.model.get('w');
    w.data.forEach((x, i) => { w.data[i] = x + 1; });
    await task.reply({ weights: task.model, steps: 1, metrics: { secret: 4711 } });
  }
};`;
const approved = `metrics: [score]\ncode: { files: [${sha256Of(Buffer.from(script))}] }\n`;

let server: LocalProcess;
const sites: LocalProcess[] = [];

beforeAll(async () => {
  const project = projectSpec.parse({
    version: 1,
    project: 'demo',
    server: { hosts: ['127.0.0.1'], port: await freePort() },
    sites: [{ name: 'site-1', org: 'North' }],
    admins: [{ name: 'ada', org: 'North', role: 'researcher' }],
  });
  await provision(project, root);
  mkdirSync(jobFolder);
  writeFileSync(join(jobFolder, 'train.cjs'), script);
  writeFileSync(join(kit('server'), 'server.yaml'), 'metricsPort: null\n');
  writeFileSync(join(kit('site-1'), 'site.yaml'), 'shutdownSeconds: 4\nmetricsPort: 0\nreconnectMaxSeconds: 1\n');
  server = startLocalProcess('server', ['server', '--kit', kit('server'), '--json'], () => {});
  await server.ready(never);
});
afterEach(async () => {
  await Promise.all(sites.splice(0).map((site) => site.stop()));
});
afterAll(async () => {
  await server.stop();
  rmSync(root, { recursive: true });
});

/** The site as a process, with this policy, once it is connected. */
async function startSite(policy: string, told: (line: string) => void = () => {}): Promise<LocalProcess> {
  writeFileSync(join(kit('site-1'), 'policy.yaml'), policy);
  const site = startLocalProcess('site-1', ['client', '--kit', kit('site-1'), '--json'], told);
  sites.push(site);
  await site.ready(never);
  return site;
}

function run(over: Partial<JobInput> & { readonly name: string }): Run {
  const job = parseJob({
    version: 1,
    sites: ['site-1'],
    workflow: { kind: 'fed-avg', rounds: 2, minSites: 1, keyMetric: 'score' },
    model: { kind: 'tensors', tensors: { w: [2] } },
    trainer: { kind: 'script', script: './train.cjs' },
    ...over,
  });
  return new ProdEnv({ kit: kit('ada'), workspace: join(root, 'results') }).run(job, { folder: jobFolder });
}

const auditOf = (name: string) =>
  readFileSync(join(kit(name), 'workspace', 'audit.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly event: string; readonly [field: string]: unknown });

async function messagesOf(one: Run): Promise<readonly string[]> {
  const messages: string[] = [];
  for await (const event of one.events()) if (event.kind === 'log') messages.push(event.message);
  return messages;
}

describe('a site', () => {
  it('that is told to stop leaves in order: exit code 0, and the server knows why', async () => {
    const site = await startSite('');
    await site.stop();
    expect(await site.exit).toEqual({ code: 0, signal: null });
    expect(auditOf('server').at(-1)).toMatchObject({ event: 'left', site: 'site-1', code: 'stopping' });
    expect(auditOf('site-1').map(({ event }) => event)).toEqual(
      expect.arrayContaining(['site-started', 'connected', 'disconnected', 'site-stopped']),
    );
    expect(await verifyAudit(join(kit('site-1'), 'workspace', 'audit.jsonl'), nodeDisk)).toMatchObject({ whole: true });
  });

  it('that names no data says so in sentences; what it cannot start with is told once', async () => {
    const told: string[] = [];
    await startSite('', (line) => told.push(line));
    expect(told.join('\n')).toContain('warning data: site.yaml names no data. Name them under data or variables,');
    writeFileSync(join(kit('site-1'), 'policy.yaml'), 'rounds: 3\n');
    const lines: string[] = [];
    const { exit } = startLocalProcess('site-1', ['client', '--kit', kit('site-1')], (line) => lines.push(line));
    expect(await exit).toMatchObject({ code: 2 });
    expect(lines.join('\n').match(/policy\.yaml:1:\d+/g)).toHaveLength(1);
  });

  it('keeps a workspace outside of its kit from other users of the machine', async () => {
    const elsewhere = join(root, 'elsewhere', 'site-1');
    const args = ['client', '--kit', kit('site-1'), '--workspace', elsewhere, '--json'];
    writeFileSync(join(kit('site-1'), 'policy.yaml'), '');
    const site = startLocalProcess('site-1', args, () => {});
    sites.push(site);
    await site.ready(never);
    expect(statSync(elsewhere).mode & 0o777).toBe(0o700);
  });

  it('tells its figures and its health', async () => {
    writeFileSync(join(kit('site-1'), 'policy.yaml'), '');
    const site = startLocalProcess('site-1', ['client', '--kit', kit('site-1'), '--json'], () => {});
    sites.push(site);
    const { metricsPort } = await site.ready(never);
    const text = async (path: string) => (await fetch(`http://127.0.0.1:${metricsPort}${path}`)).text();
    expect(JSON.parse(await text('/healthz'))).toMatchObject({ status: 'ok', site: 'site-1', connected: true });
    expect(await text('/metrics')).toMatch(/^consilium_site_connected 1$/m);
  });

  it('whose server is gone says what it waits for, and is back by itself', async () => {
    const told: string[] = [];
    let hear = (_: string) => {};
    const site = await startSite('', (line) => {
      told.push(line);
      hear(line);
    });
    const line = (wanted: RegExp) =>
      new Promise<void>((resolve) => {
        hear = (text) => wanted.test(text) && resolve();
      });
    const waits = line(/reconnecting in \d\.\d s, because: \S+/);
    server.kill();
    await waits;
    const back = line(/connected to the server/);
    server = startLocalProcess('server', ['server', '--kit', kit('server'), '--json'], () => {});
    await back;
    await site.stop();
    expect(told.filter((text) => text.includes('connected to the server'))).toHaveLength(2);
    await server.ready(never);
  });

  it('that refuses a job says why to whoever has submitted it, and notes it', async () => {
    const told: string[] = [];
    await startSite('', (line) => told.push(line));
    const refused = await run({
      name: 'refused',
      workflow: { kind: 'fed-avg', rounds: 1, minSites: 1, roundDeadlineSeconds: 1, roundRetries: 0 },
    })
      .result()
      .catch((error: Error) => error);
    const reason = 'policy code: the job brings 1 file that came with it, and no code of jobs runs here';
    expect((refused as Error).message).toContain(`refused the job: ${reason}`);
    expect(auditOf('site-1')).toContainEqual(
      expect.objectContaining({ event: 'job-refused', submitter: 'ada', reason }),
    );
    expect(told.join('\n')).toContain(`job refused: ${reason}. The site's operator may approve it under 'code'`);
  });

  it('whose policy was broken meanwhile says file, line and what to do on its terminal and in its log', async () => {
    const told: string[] = [];
    const site = await startSite('', (line) => told.push(line));
    const file = join(kit('site-1'), 'policy.yaml');
    writeFileSync(file, 'code: { files: [0] }\n');
    const refused = await run({
      name: 'broken-policy',
      workflow: { kind: 'fed-avg', rounds: 1, minSites: 1, roundDeadlineSeconds: 1, roundRetries: 0 },
    })
      .result()
      .catch((error: Error) => error);
    expect((refused as Error).message).toContain('the policy of this site cannot be read at present. The log of the');
    expect((refused as Error).message).not.toContain('policy.yaml');
    await site.stop();
    const log = readFileSync(join(kit('site-1'), 'workspace', 'log.txt'), 'utf8');
    for (const text of [told.join('\n'), log])
      expect(text).toMatch(/policy\.yaml:1:\d+[\s\S]*Correct the places named/);
  });

  it('takes part once its policy allows it; what leaves passes its filters, and is noted before', async () => {
    await startSite(approved);
    const result = await run({ name: 'allowed' }).result();
    expect(result).toMatchObject({ outcome: 'finished', rounds: 2, best: { round: 2 } });
    expect(JSON.stringify(result.history)).not.toMatch(/4711|secret/);
    const left = auditOf('site-1').filter(({ event }) => event === 'answer');
    expect(left.map(({ kind, round, filters }) => [kind, round, filters])).toEqual([
      ['train', 0, ['allow-metrics']],
      ['train', 1, ['allow-metrics']],
      ['validate', 2, ['allow-metrics']],
    ]);
    const again = run({ name: 'allowed' });
    expect((await messagesOf(again))[0]).toMatch(/^allowed-\w+ submitted before, finished$/);
    expect((await again.result()).finalModelSha256).toBe(result.finalModelSha256);
  });

  it('in the middle of training that never ends leaves within its time, too, also when the signal comes twice', async () => {
    const endless = run({ name: 'endless', seed: 13 });
    for (const twice of [false, true]) {
      const before = logSize();
      const site = await startSite(approved, (line) => {
        if (twice && line.includes('leaving')) site.kill('SIGTERM');
      });
      await logged(/"round":0,.*task started/, before);
      const started = performance.now();
      site.kill('SIGTERM');
      expect(await site.exit).toEqual({ code: 0, signal: null });
      expect((performance.now() - started) / 1000).toBeLessThan(4);
    }
    endless.abort('enough');
    await expect(endless.result()).rejects.toMatchObject({ tag: 'AbortedError', message: 'enough' });
  });
});

const siteLog = () => join(kit('site-1'), 'workspace', 'log.json');

/** Characters of the site's log. */
function logSize(): number {
  return existsSync(siteLog()) ? readFileSync(siteLog(), 'utf8').length : 0;
}

/** Resolves when the site's log has such a line behind its first characters. */
function logged(line: RegExp, before = logSize()): Promise<void> {
  const log = siteLog();
  return new Promise((resolve) => {
    const look = () => {
      if (!line.test(readFileSync(log, 'utf8').slice(before))) return;
      watcher.close();
      resolve();
    };
    const watcher = watch(log, look);
    look(); // It may be there already.
  });
}
