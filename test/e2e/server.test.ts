import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { websocketDialer } from '../../src/transport/websocket/client';
import { type RunningCommand, runCommand, startCommand } from '../support/command';
import { smallProject, type TestFederation, testFederation } from '../support/federation';
import { freePort } from '../support/free-port';
import { type RunningSite, startToySite } from '../support/toy-site';

let folder: string;
let federation: TestFederation;
let server: RunningCommand;
let address: string;
const sites: RunningSite[] = [];

const job = `version: 1
name: small
sites: [site-1, site-2]
workflow: {kind: fed-avg, rounds: 3, minSites: 2, keyMetric: score, roundDeadlineSeconds: 60}
model: {kind: tensors, tensors: {w: [4]}, start: zeros}
trainer: {kind: command, command: [train-it]}
`;

const ada = () => ['--kit', federation.folder('ada')];
const json = async (...args: readonly string[]) => {
  const { stdout, stderr, code } = await runCommand(...args, '--json');
  if (stdout === '') throw new Error(`${code}: ${stderr}`);
  return JSON.parse(stdout);
};

async function startServer(): Promise<Record<string, unknown>> {
  server = startCommand(
    'server',
    '--kit',
    federation.folder('server'),
    '--workspace',
    join(folder, 'server'),
    '--json',
  );
  return JSON.parse(await server.firstLine);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'consilium-server-'));
  const port = await freePort();
  federation = await testFederation({ server: { ...smallProject.server, hosts: ['127.0.0.1'], port } });
  address = `wss://127.0.0.1:${port}`;
  await writeFile(join(federation.folder('server'), 'server.yaml'), 'metricsPort: 0\nhost: 127.0.0.1\n');
  await writeFile(join(folder, 'job.yaml'), job);
  expect(await startServer()).toMatchObject({ ready: true, project: 'demo', server: 'server', port });
  for (const name of ['site-1', 'site-2']) {
    const { tls } = await federation.kit(name);
    sites.push(await startToySite(name, join(folder, name), websocketDialer({ address, credentials: tls })));
  }
});
afterAll(async () => {
  server.process.kill('SIGKILL');
  await Promise.all(sites.map((site) => site.stop()));
  await rm(folder, { recursive: true, force: true });
  await rm(dirname(federation.out), { recursive: true, force: true });
});

describe('a server with real sockets and the commands of people', () => {
  it('takes a job, runs it, shows it, and gives its files', async () => {
    const submitted = await json('submit', join(folder, 'job.yaml'), ...ada(), '--follow');
    expect(submitted).toMatchObject({
      job: expect.stringMatching(/^small-[0-9a-f]{8}$/),
      created: true,
      state: 'finished',
    });
    const { job: id } = submitted;
    expect(await json('submit', join(folder, 'job.yaml'), ...ada())).toEqual({
      job: id,
      state: 'finished',
      created: false,
    });
    expect((await json('show', id, ...ada())).history.map(({ state }: { state: string }) => state)).toEqual([
      'submitted',
      'queued',
      'running',
      'finished',
    ]);
    const { files } = await json('download', id, ...ada(), '--out', join(folder, 'got'));
    const meta = files.find(({ path }: { path: string }) => path.endsWith('meta.json')).path;
    expect(JSON.parse(await readFile(join(folder, 'got', meta), 'utf8'))).toMatchObject({
      outcome: 'finished',
      finished_rounds: 3,
    });
  });
});
