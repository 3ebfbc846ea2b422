/** The Sites port over real websockets with certificates on both sides: hub and agents on disks of their own. */
import { setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { Task, Update } from '../../src/protocol/messages';
import { readUpdate } from '../../src/protocol/read-update';
import type { Sites } from '../../src/protocol/sites';
import { siteJobs } from '../../src/runtime/client/site-jobs';
import { safetensorsParts } from '../../src/tensor/safetensors';
import { runAgent } from '../../src/transport/agent';
import { memoryBlob } from '../../src/transport/blobs';
import { fileSink } from '../../src/transport/file-sink';
import { createHub } from '../../src/transport/hub';
import { remoteSites } from '../../src/transport/remote-sites';
import { websocketDialer } from '../../src/transport/websocket/client';
import { websocketServer } from '../../src/transport/websocket/server';
import { nodeClock } from '../../src/util/clock';
import { nodeDisk } from '../../src/util/node-disk';
import { authority, issueServer } from '../support/certificates';
import { testSites } from './sites';

interface Link {
  readonly name: string;
  run(task: Task, signal: AbortSignal): Promise<Update>;
}

const folder = mkdtempSync(join(tmpdir(), 'consilium-sites-'));
const stop = new AbortController();
setMaxListeners(0, stop.signal); // All agents of all tests.
const closing: (() => Promise<unknown>)[] = [];
let federations = 0;
let certificates: ReturnType<typeof authority> | undefined;

afterAll(async () => {
  stop.abort();
  await Promise.all(closing.map((close) => close()));
  rmSync(folder, { recursive: true });
});

testSites('websocket', remote);

/** A server and its sites; they start with the first task, and the sites are connected before it is given. */
function remote(links: readonly Link[]): Sites {
  const names = links.map(({ name }) => name);
  let started: Promise<Sites> | undefined;
  return {
    names,
    async *broadcast(task, asked, options) {
      started ??= start(links);
      yield* (await started).broadcast(task, asked, options);
    },
  };
}

async function start(links: readonly Link[]): Promise<Sites> {
  const workspace = join(folder, String(federations++));
  certificates ??= authority();
  const project = await certificates;
  let connected = () => {};
  let missing = links.length;
  const all = new Promise<void>((resolve) => {
    connected = () => {
      if (--missing === 0) resolve();
    };
  });
  const hub = createHub({
    clock: nodeClock,
    times: { heartbeatMs: 1000, deadMs: 5000, siteLostMs: 60_000, helloMs: 5000 },
    software: 'test',
    newSession: () => 'a session',
    ended: () => 'waiting',
    on: (event) => {
      if (event.kind === 'job-answer') connected();
    },
    unreadable: (_, error) => {
      throw error;
    },
  });
  const server = await websocketServer({
    host: '127.0.0.1',
    port: 0,
    credentials: { ...(await issueServer(project)), ca: project.ca },
    admit: () => true,
    accept: (connection) => hub.connect(connection),
    refused: ({ reason }) => {
      throw new Error(reason.message);
    },
  });
  closing.push(() => server.close({ code: 'stopping', message: 'The test is over.' }));
  const bundle = memoryBlob([Buffer.from('a job')]);
  const names = links.map(({ name }) => name);
  const job = hub.open({
    id: 'job-1',
    sites: names,
    bundle: () => bundle,
    sink: (site, ref) => fileSink(nodeDisk, join(workspace, 'spool', site), ref),
    answerLimit: 1e6,
  });
  for (const link of links) {
    const credentials = { ...(await project.issue({ names: [link.name] })), ca: project.ca };
    const agent = startAgent(link, join(workspace, link.name), `wss://127.0.0.1:${server.port}`, credentials);
    closing.push(() => agent);
  }
  await all;
  return remoteSites({
    job: 'job-1',
    names,
    hub: job,
    clock: nodeClock,
    prepare: (model) => memoryBlob(safetensorsParts(model)),
    read: (file) => readUpdate(nodeDisk, file),
    discard: (file) => nodeDisk.remove(file),
  });
}

async function startAgent(
  link: Link,
  workspace: string,
  address: string,
  credentials: Parameters<typeof websocketDialer>[0]['credentials'],
): Promise<void> {
  const jobs = await siteJobs({
    disk: nodeDisk,
    folder: workspace,
    site: link.name,
    consider: async () => ({ verdict: 'accepted', reason: '' }),
    start: async () => ({
      run: (task, { signal }) => untilStopped(link.run(task, signal), signal),
      close: async () => {},
    }),
  });
  await runAgent({
    clock: nodeClock,
    dialer: websocketDialer({ address, credentials }),
    random: () => 0,
    software: 'test',
    boot: 'one',
    resources: { slots: 1, memoryMb: 1, gpus: 0 },
    times: { heartbeatMs: 1000, deadMs: 5000, welcomeMs: 5000, reconnectMinMs: 50, reconnectMaxMs: 500 },
    jobs,
    on: () => {},
    signal: stop.signal,
  });
  await jobs.close();
}

/** A runner ends soon after it is stopped; some of the suite's sites never do. */
function untilStopped<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return Promise.race([
    work,
    new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  ]);
}
