/** The server of the benchmark, in a process of its own: hub, workflow, journal and checkpoints as a server runs them. */
import { type EventEmitter, getEventListeners } from 'node:events';
import { join } from 'node:path';
import { getHeapCodeStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { jobHash, parseJob } from '../../src/jobs/job-spec';
import { readUpdate } from '../../src/protocol/read-update';
import { checkpointStore } from '../../src/runtime/checkpoint';
import { modelDigest } from '../../src/runtime/model-digest';
import { freshStart, runServer } from '../../src/runtime/server-run';
import { safetensorsParts } from '../../src/tensor/safetensors';
import type { NamedTensors } from '../../src/tensor/tensor';
import { type BlobSource, memoryBlob } from '../../src/transport/blobs';
import { fileSink } from '../../src/transport/file-sink';
import { createHub } from '../../src/transport/hub';
import { remoteSites } from '../../src/transport/remote-sites';
import { websocketServer } from '../../src/transport/websocket/server';
import { nodeClock } from '../../src/util/clock';
import { keepYoungSpaceSmall } from '../../src/util/collect-garbage';
import { nodeDisk } from '../../src/util/node-disk';
import type { Open, ServerOrder, ServerReport } from './order';

const megabyte = 1e6;
const rssMb = () => process.memoryUsage().rss / megabyte;

function openNow(signal: AbortSignal): Open {
  const handles = (process as unknown as { _getActiveHandles(): EventEmitter[] })._getActiveHandles();
  const ofEmitter = (emitter: EventEmitter) =>
    emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name), 0);
  return {
    handles: handles.length,
    timers: process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length,
    listeners:
      [process, ...handles].reduce((sum, emitter) => sum + ofEmitter(emitter), 0) +
      getEventListeners(signal, 'abort').length,
  };
}

/** What the engine has compiled: it grows for hundreds of rounds, until all that is used often is machine code. */
function compiledBytes(): number {
  const { code_and_metadata_size: machine, bytecode_and_metadata_size: bytecode } = getHeapCodeStatistics();
  return machine + bytecode;
}

/** All that can be collected: also what the engine would keep for a while because it may be of use again. */
function collectAll(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: object) => void;
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

process.once('message', (order: ServerOrder) => void serve(order));

async function serve(order: ServerOrder): Promise<void> {
  keepYoungSpaceSmall();
  const startMb = rssMb();
  const waiting = new Set(order.sites);
  let begin = () => {};
  const all = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const hub = createHub({
    clock: nodeClock,
    times: { heartbeatMs: 10_000, deadMs: 60_000, siteLostMs: 600_000, helloMs: 10_000 },
    software: 'benchmark',
    newSession: () => 'session',
    ended: () => 'waiting',
    on(event) {
      if (event.kind === 'job-answer' && waiting.delete(event.site) && waiting.size === 0) begin();
      if (event.kind === 'answered' && event.outcome !== 'accepted')
        throw new Error(`${event.outcome} ${event.reason}`);
    },
    unreadable: (_, error) => {
      throw error;
    },
  });
  const server = await websocketServer({
    host: '127.0.0.1',
    port: 0,
    credentials: order.credentials,
    limits: { handshakesPerSecond: 1e6, unauthenticated: 1e6 },
    admit: () => true,
    accept: (connection) => hub.connect(connection),
    refused: ({ reason }) => console.error(reason),
  });
  process.send!({ port: server.port });
  const report = await run(order, hub, all, startMb);
  process.send!({ report });
  await server.close({ code: 'stopping', message: 'The benchmark is over.' });
  process.exit();
}

async function run(
  { folder, sites: names, parameters, rounds }: ServerOrder,
  hub: ReturnType<typeof createHub>,
  joined: Promise<void>,
  startMb: number,
): Promise<ServerReport> {
  const job = parseJob({
    version: 1,
    name: 'benchmark',
    sites: [...names],
    workflow: { kind: 'fed-avg', rounds, minSites: names.length, keyMetric: 'score' },
    model: { kind: 'tensors', tensors: { w: [parameters] } },
    trainer: { kind: 'command', command: ['none'] },
  });
  const bundle = memoryBlob([Buffer.from('a job')]);
  const model: NamedTensors = new Map([
    ['w', { dtype: 'float32', shape: [parameters], data: new Float32Array(parameters) }],
  ]);
  const store = checkpointStore(join(folder, 'checkpoint'), { keepAll: true });
  const start = freshStart(jobHash(job), model);
  await store.save(start);
  const opened = hub.open({
    id: 'job',
    sites: names,
    bundle: () => bundle,
    sink: (site, ref) => fileSink(nodeDisk, join(folder, 'spool', site), ref, { flush: 'bytes' }),
    answerLimit: 1e9,
  });
  const prepared = new WeakMap<NamedTensors, BlobSource>();
  const sites = remoteSites({
    job: 'job',
    names,
    hub: opened,
    clock: nodeClock,
    prepare: (given) => prepared.get(given) ?? prepare(given, prepared),
    read: (file) => readUpdate(nodeDisk, file),
    discard: (file) => nodeDisk.remove(file),
  });
  await joined;
  const measured: number[] = [];
  const heap: number[] = [];
  const state: number[] = [];
  const open: Open[] = [];
  const { signal } = new AbortController();
  let peakMb = 0;
  const sampling = setInterval(() => {
    peakMb = Math.max(peakMb, rssMb());
  }, 20);
  await runServer({
    job,
    jobHash: start.jobHash,
    start,
    sites,
    store,
    loadModel: async () => model,
    async onLine(line) {
      if (line.final) return;
      measured.push(line.seconds * 1000);
      if (line.round % 20 !== 19) return;
      collectAll();
      heap.push(process.memoryUsage().heapUsed);
      state.push(heap.at(-1)! - compiledBytes());
      open.push(openNow(signal));
    },
    emit: () => {},
    signal,
  });
  clearInterval(sampling);
  opened.end('finished', '');
  return { rounds: measured, startMb, peakMb, heap, state, open };
}

function prepare(model: NamedTensors, prepared: WeakMap<NamedTensors, BlobSource>): BlobSource {
  const parts = safetensorsParts(model);
  modelDigest(model, () => parts);
  const blob = memoryBlob(parts);
  prepared.set(model, blob);
  return blob;
}
