import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Task } from '../../src/protocol/messages';
import { revoke } from '../../src/runtime/provision/provision';
import { dialChannel } from '../../src/transport/channel';
import { websocketDialer } from '../../src/transport/websocket/client';
import { nodeClock } from '../../src/util/clock';
import { type RunningCommand, runCommand, startCommand } from '../support/command';
import { smallProject, type TestFederation, testFederation } from '../support/federation';
import { freePort } from '../support/free-port';
import { movedBy, type RunningSite, startToySite } from '../support/toy-site';

let folder: string;
let federation: TestFederation;
let server: RunningCommand;
let metricsPort: number;
const sites: RunningSite[] = [];

/** Lets the training of round 1 go on. */
let release = () => {};
/** Resolves when a site trains in round 1. */
let inRoundOne: Promise<void>;
let reachedRoundOne = () => {};
let released: Promise<void>;

function hold(): void {
  inRoundOne = new Promise((resolve) => {
    reachedRoundOne = resolve;
  });
  released = new Promise((resolve) => {
    release = resolve;
  });
}

async function train(name: string, task: Task) {
  if (task.round === 1 && name === 'site-2') {
    reachedRoundOne();
    await released;
  }
  return movedBy(1, name, task);
}

const job = (name: string) => `version: 1
name: ${name}
sites: [site-1, site-2]
workflow: {kind: fed-avg, rounds: 3, minSites: 2, keyMetric: score, roundDeadlineSeconds: 60}
model: {kind: tensors, tensors: {w: [4]}, start: zeros}
trainer: {kind: command, command: [train-it]}
`;

async function submit(name: string, ...flags: readonly string[]) {
  const file = join(folder, `${name}.yaml`);
  await writeFile(file, job(name));
  return json('submit', file, ...flags);
}

const kit = (name: string) => ['--kit', federation.folder(name)];
/** A command that prints an object, with the kit of a researcher. */
async function json(...args: readonly string[]) {
  const { stdout, stderr, code } = await runCommand(...args, ...kit('ada'), '--json');
  if (stdout === '') throw new Error(`${code}: ${stderr}`);
  return { code, ...JSON.parse(stdout) };
}

const serverFlags = () => ['server', ...kit('server'), '--workspace', join(folder, 'server'), '--json'];

async function startServer(): Promise<Record<string, unknown>> {
  server = startCommand(...serverFlags());
  const ready = JSON.parse(await server.firstLine);
  metricsPort = ready.metricsPort;
  return ready;
}

beforeAll(async () => {
  hold();
  folder = await mkdtemp(join(tmpdir(), 'consilium-server-'));
  const port = await freePort();
  federation = await testFederation({ server: { ...smallProject.server, hosts: ['127.0.0.1'], port } });
  await writeFile(join(federation.folder('server'), 'server.yaml'), 'metricsPort: 0\nhost: 127.0.0.1\n');
  expect(await startServer()).toMatchObject({ ready: true, project: 'demo', server: 'server', port });
  for (const name of ['site-1', 'site-2']) {
    const { tls } = await federation.kit(name);
    const dialer = websocketDialer({ address: `wss://127.0.0.1:${port}`, credentials: tls });
    sites.push(await startToySite(name, join(folder, name), dialer, { train: (task) => train(name, task) }));
  }
});
afterAll(async () => {
  release();
  server.process.kill('SIGKILL');
  await Promise.all(sites.map((site) => site.stop()));
  await rm(folder, { recursive: true, force: true });
  await rm(dirname(federation.out), { recursive: true, force: true });
});

describe('a server as a process', () => {
  it('keeps a workspace outside of its kit from other users of the machine', async () => {
    expect((await stat(join(folder, 'server'))).mode & 0o777).toBe(0o700);
  });

  it('takes a job, runs it, shows it, and gives its files', async () => {
    release();
    const submitted = await submit('first', '--follow');
    expect(submitted).toMatchObject({
      code: 0,
      job: expect.stringMatching(/^first-[0-9a-f]{8}$/),
      created: true,
      state: 'finished',
    });
    const { job: id } = submitted;
    expect(await submit('first')).toMatchObject({ job: id, state: 'finished', created: false });
    const { history } = await json('show', id);
    expect(history.map(({ state }: { state: string }) => state)).toEqual([
      'submitted',
      'queued',
      'running',
      'finished',
    ]);
    expect((await json('jobs')).jobs).toMatchObject([{ job: id, state: 'finished', owner: 'ada' }]);
    expect((await json('sites')).sites).toMatchObject([
      { name: 'site-1', connected: true },
      { name: 'site-2', connected: true },
    ]);
    const { files } = await json('download', id, '--out', join(folder, 'got'));
    const meta = files.find(({ path }: { path: string }) => path.endsWith('meta.json')).path;
    const read = JSON.parse(await readFile(join(folder, 'got', meta), 'utf8'));
    expect(read).toMatchObject({ outcome: 'finished', finished_rounds: 3 });
    const nowhere = await runCommand('download', id, ...kit('ada'), '--out', '/dev/null/x');
    expect(nowhere.stderr).toMatch(/a part of the path is a file.*\n→ Choose another folder with --out/);
    const log = await runCommand('logs', id, ...kit('ada'));
    expect(log.stdout).toMatch(/round 2 finished {2}score 2 {2}2\/2 sites/);
    expect(log.stdout.trimEnd()).toMatch(/finished$/);
  });

  it('that is killed goes on with its job when it is started again', async () => {
    hold();
    const { job: id } = await submit('killed');
    await inRoundOne;
    server.process.kill('SIGKILL');
    await server.finished;
    await startServer();
    expect(await json('show', id)).toMatchObject({ state: 'running' });
    release();
    expect(await json('logs', id, '--follow')).toMatchObject({ code: 0, state: 'finished' });
    const { entries } = await json('logs', id);
    const finished = entries.flatMap(({ event }: { event: { kind: string; round: number } }) =>
      event.kind === 'round-finished' ? [event.round] : [],
    );
    expect(finished).toEqual([0, 1, 2, 3]); // No round was repeated.
  });

  it('that is told to stop ends in order in time, tells everybody, and goes on afterwards', async () => {
    hold();
    const { job: id } = await submit('stopped');
    await inRoundOne;
    const follower = startCommand('logs', id, '--follow', ...kit('ada'));
    await follower.firstLine;
    server.process.kill('SIGTERM');
    const { code, stderr } = await server.finished;
    expect(code).toBe(0); // It is 1 when shutdownSeconds were not enough.
    expect(stderr).toContain('Jobs under way go on at the next start.');
    await startServer();
    release();
    const followed = await follower.finished;
    expect(followed.code).toBe(0);
    expect(followed.stderr).toContain('The server is stopping.');
    expect(followed.stdout).toMatch(/continued in round 1/);
  });

  it('is not started twice in one workspace, nor at a port that is taken', async () => {
    const twice = await runCommand(...serverFlags());
    expect(twice.code).toBe(1);
    expect(JSON.parse(twice.stdout).error).toMatchObject({
      tag: 'WorkspaceError',
      message: expect.stringContaining('is in use by process'),
    });
    const elsewhere = await runCommand('server', ...kit('server'), '--workspace', join(folder, 'other'), '--json');
    expect(elsewhere.code).toBe(1);
    expect(JSON.parse(elsewhere.stdout).error).toMatchObject({
      tag: 'ConnectError',
      message: expect.stringContaining('the port is taken'),
    });
  });

  it('tells monitoring how it is', async () => {
    const health = await (await fetch(`http://127.0.0.1:${metricsPort}/healthz`)).json();
    expect(health).toMatchObject({ status: 'ok', sites: { 'site-1': true, 'site-2': true }, running: [], queued: [] });
    const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    expect(text).toMatch(/^consilium_sites_connected 2$/m);
    expect(text).toMatch(/^consilium_jobs\{state="finished"\} 3$/m);
    expect(text).toMatch(/^consilium_answers_total\{outcome="accepted"\} [1-9]\d*$/m);
    expect(text).toMatch(/^consilium_received_bytes_total\{role="site"\} [1-9]\d{2,}$/m);
    expect(text).toMatch(/^consilium_memory_bytes\{kind="rss"\} \d{8,}$/m);
    expect((await fetch(`http://127.0.0.1:${metricsPort}/other`)).status).toBe(404);
    expect((await fetch(`http://127.0.0.1:${metricsPort}/metrics`, { method: 'POST' })).status).toBe(405);
  });

  it('is found by the doctor of a site, which does not push the site out', async () => {
    const { stdout, code } = await runCommand('doctor', ...kit('site-1'), '--json');
    const { findings } = JSON.parse(stdout) as { findings: { name: string; status: string; message: string }[] };
    const of = (about: string) => findings.filter(({ name }) => name === about);
    expect({ code, server: of('server'), clock: of('clock') }).toMatchObject({
      code: 0,
      server: [{ status: 'ok', message: 'it answers, and lets this kit in' }],
      clock: [{ status: 'ok' }],
    });
    const file = join(folder, 'looked-at.yaml');
    await writeFile(file, job('looked-at'));
    const looked = await runCommand('doctor', file, ...kit('site-1'), '--json');
    const ofJob = JSON.parse(looked.stdout).findings.find(({ name }: { name: string }) => name === 'job policy');
    expect({ code: looked.code, ...ofJob }).toMatchObject({
      ...{ code: 2, status: 'problem' },
      message: 'refused: policy code: the job brings a program, and no code of jobs runs here',
      hint: expect.stringContaining("'code' in policy.yaml"),
    });
    const audit = await readFile(join(folder, 'server', 'audit.jsonl'), 'utf8');
    expect(audit).not.toContain('connected anew');
    expect((await json('sites')).sites).toMatchObject([{ connected: true }, { connected: true }]);
  });

  it('counts and names who speaks another version, and who has no certificate of the project', async () => {
    const { port } = (await federation.kit('server')).server;
    const { tls } = await federation.kit('site-1');
    const stranger = await testFederation();
    const never = new AbortController().signal;
    const dialer = (credentials: typeof tls) =>
      websocketDialer({ address: `wss://127.0.0.1:${port}`, credentials: { ...credentials, ca: tls.ca } });
    const told = new Promise((resolve) => {
      const options = { clock: nodeClock, heartbeatMs: 1000, deadMs: 5000, source: () => undefined };
      const handlers = { unreadable() {}, message() {}, closed: resolve };
      void dialChannel(dialer(tls), { ...options, ...handlers }, never).then((channel) =>
        channel.send({ type: 'hello', protocols: [999], software: 'consilium 99', boot: 'b' }),
      );
    });
    expect(await told).toMatchObject({ code: 'version', hint: expect.stringContaining('same release') });
    const handler = () => ({ message() {}, closed() {} });
    // A server of another project, and one that does not answer: in words as a whole, with no stack below.
    const { tls: theirs } = await stranger.kit('ada');
    const elsewhere = websocketDialer({ address: `wss://127.0.0.1:${port}`, credentials: theirs });
    const unknown = await elsewhere.dial(() => ({ message() {}, closed() {} }), never).catch((error: Error) => error);
    expect(unknown).toMatchObject({ message: expect.stringContaining('not issued by'), hint: expect.any(String) });
    expect(unknown).not.toHaveProperty('cause');
    await expect(dialer((await stranger.kit('site-1')).tls).dial(handler, never)).rejects.toThrow(
      'refuses the connection',
    );
    await rm(dirname(stranger.out), { recursive: true });
    const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    expect(text).toMatch(/^consilium_refused_connections_total\{code="version"\} 1$/m);
    expect(text).toMatch(/^consilium_refused_connections_total\{code="not-allowed"\} 1$/m);
    const log = () => readFile(join(folder, 'server', 'log.txt'), 'utf8');
    await expect.poll(log).toMatch(/WARN {2}refused the site 'site-1': .*consilium 99 speaks 999\. → Install the/);
    await expect.poll(log).toMatch(/WARN {2}refused somebody at 127\.0\.0\.1: The certificate that was shown .* → .+/);
  });

  it('lets go of a site within seconds of its being revoked, refuses it from then on, and keeps a record of both', async () => {
    await revoke(federation.out, ['site-2']); // Writes the roster into the server's kit.
    const audit = join(folder, 'server', 'audit.jsonl');
    const records = async () =>
      (await readFile(audit, 'utf8'))
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
    const before = performance.now();
    for (;;) {
      const { sites: all } = await json('sites');
      if (all.length === 1) break;
      expect(performance.now() - before).toBeLessThan(5000);
    }
    const health = await (await fetch(`http://127.0.0.1:${metricsPort}/healthz`)).json();
    expect(health).toMatchObject({ sites: { 'site-2': false } });
    expect(await records()).toContainEqual(
      expect.objectContaining({ event: 'sent-away', name: 'site-2', code: 'revoked' }),
    );
    while (!(await records()).some(({ event, name }) => event === 'refused' && name === 'site-2')) {
      await runCommand('jobs', ...kit('ada')); // It dials again by itself.
    }
    await sites.pop()!.stop(); // Without pauses, it would soon use up what this address may dial.
    const verified = await runCommand('audit', 'verify', audit, '--json');
    expect({ code: verified.code, ...JSON.parse(verified.stdout) }).toMatchObject({ code: 0, whole: true });
    const missing = await runCommand('audit', 'verify', join(folder, 'nofile'));
    expect(missing.stderr).toMatch(/it does not exist.*\n→ Check the path\.\n/);
    const copy = join(folder, 'copy.jsonl');
    await writeFile(copy, (await readFile(audit, 'utf8')).replace('site-2', 'site-1'));
    await writeFile(join(folder, 'copy.head.json'), await readFile(audit.replace('.jsonl', '.head.json')));
    const changed = await runCommand('audit', 'verify', copy);
    expect(changed.code).toBe(1);
    expect(changed.stdout).toContain('not whole');
  });

  it('that is not there, a kit of another kind, and a job that is not there are each told with the next step', async () => {
    const unknown = await runCommand('show', 'none-12345678', ...kit('ada'), '--json');
    expect({ code: unknown.code, ...JSON.parse(unknown.stdout) }).toEqual({
      code: 2,
      error: {
        ...{ tag: 'RefusedError', message: "There is no job 'none-12345678'." },
        hint: expect.stringMatching(/^`consilium jobs --kit \S+ada` lists the jobs of the server\.$/),
      },
    });
    const other = await runCommand('jobs', ...kit('site-1'), '--json');
    expect(other.code).toBe(2);
    expect(JSON.parse(other.stdout).error).toMatchObject({
      tag: 'ConfigError',
      message: expect.stringContaining('is needed'),
    });
    expect(await runCommand('jobs')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("required option '--kit <dir>'"),
    });
    server.process.kill('SIGKILL');
    const { stderr } = await server.finished; // The terminal of the server's people.
    expect(stderr).toMatch(/warning refused the site 'site-2', who was connected: .+ → .+/);
    expect(stderr).toMatch(/warning refused the site 'site-2' at 127\.0\.0\.1: .+ → .+/);
    const down = await runCommand('jobs', ...kit('ada'));
    expect(down.stderr).toMatch(/^error: Cannot connect to .*: nothing listens there .*\n→ Is the server running.*\n$/);
    for (const command of ['jobs', 'sites']) {
      const gone = await runCommand(command, ...kit('ada'), '--json');
      expect(gone.code).toBe(1);
      expect(JSON.parse(gone.stdout).error).toMatchObject({ tag: 'ConnectError', hint: expect.stringMatching(/./) });
    }
  });
});
