/**
 * A simulated server: the hub, the workflow, the journal and the checkpoints of the product on a simulated process, network and
 * disk.
 *
 * @module
 */
import { type JobSpec, jobHash, parseJob } from '../../src/jobs/job-spec';
import { readUpdate } from '../../src/protocol/read-update';
import { type Checkpoint, checkpointStore } from '../../src/runtime/checkpoint';
import { modelDigest } from '../../src/runtime/model-digest';
import { createSpool } from '../../src/runtime/server/spool';
import { freshStart, runServer } from '../../src/runtime/server-run';
import { safetensorsParts } from '../../src/tensor/safetensors';
import { float32, type NamedTensors } from '../../src/tensor/tensor';
import { type BlobSource, memoryBlob } from '../../src/transport/blobs';
import { createHub } from '../../src/transport/hub';
import type { Hub, HubEvent, OpenJob } from '../../src/transport/hub-types';
import { remoteSites } from '../../src/transport/remote-sites';
import { delay } from '../../src/util/clock';
import type { Disk } from '../../src/util/disk';
import { type SimProcess, simProcess } from '../support/sim/clock';
import type { SimDisk } from '../support/sim/disk';
import type { CommittedRound, History } from './history';
import type { Plan } from './plan';
import { certificateOf, jobId, serverName, type World } from './world-types';

export interface RunningServer {
  readonly process: SimProcess;
  /** Whom the job waits for; undefined while it is not open. */
  waiting(): ReturnType<OpenJob['waiting']> | undefined;
  kill(): void;
}

const folder = '/server';

export function jobOf(plan: Plan): JobSpec {
  const { sites, rounds, minSites, graceSeconds, roundDeadlineSeconds, roundRetries, seed, parameters } = plan;
  return parseJob({
    version: 1,
    name: 'sim',
    seed,
    sites: [...sites],
    workflow: {
      kind: 'fed-avg',
      rounds,
      minSites,
      roundDeadlineSeconds,
      roundRetries,
      keyMetric: 'score',
      ...(graceSeconds !== undefined && { graceSeconds }),
    },
    model: { kind: 'tensors', tensors: { w: [parameters] } },
    trainer: { kind: 'command', command: ['toy'] },
  });
}

/** Starts the server's process on its disk. `done` hears of the job's end. */
export function startServer(
  world: World,
  disk: SimDisk,
  boot: number,
  done: (final: NamedTensors) => void,
): RunningServer {
  const process = simProcess(world.time);
  const mounted = disk.mount();
  process.ended(() => mounted.kill());
  let open: OpenJob | undefined;
  void main(world, mounted, process, boot, {
    opened: (job) => {
      open = job;
    },
    done,
  }).catch((error: unknown) => {
    if (process.alive)
      world.history.violations.push(`The server ends: ${error instanceof Error ? error.stack : error}`);
  });
  return { process, waiting: () => open?.waiting(), kill: () => process.kill() };
}

interface Told {
  opened(job: OpenJob | undefined): void;
  done(final: NamedTensors): void;
}

async function main(world: World, disk: Disk, process: SimProcess, boot: number, told: Told): Promise<void> {
  const { network, plan, history } = world;
  const job = jobOf(plan);
  let sessions = 0;
  let finished = false;
  const hub = createHub({
    clock: process.clock,
    times: { heartbeatMs: 1000, deadMs: 5000, siteLostMs: plan.siteLostMs, helloMs: 5000 },
    software: 'consilium sim',
    newSession: () => `${boot}-${sessions++}`,
    ended: () => (finished ? { outcome: 'finished', reason: '' } : 'waiting'),
    on: (event) => noteEvent(world, event, process.clock.monotonicMs()),
    unreadable: (site, error) => history.note(`server cannot read what ${site} asked for: ${error}`),
  });
  network.listen(process, certificateOf(serverName), (connection) => hub.connect(connection));
  // Whoever runs the job goes on after an error, once its cause is mended.
  for (;;) {
    try {
      const final = await runJob(world, hub, disk, process, job, told);
      finished = true;
      history.note('job finished');
      told.done(final);
      return;
    } catch (error) {
      told.opened(undefined);
      history.note(`job stops: ${error instanceof Error ? error.message.split('\n').join(' | ') : error}`);
      if (!isExpected(error)) history.violations.push(`Unexpected: ${error instanceof Error ? error.stack : error}`);
      await delay(process.clock, 500, new AbortController().signal);
    }
  }
}

/** What faults of disks and sites may lead to. */
function isExpected(error: unknown): boolean {
  const tag = (error as { tag?: string }).tag ?? '';
  return ['QuorumError', 'WorkspaceError'].includes(tag);
}

async function runJob(
  world: World,
  hub: Hub,
  disk: Disk,
  process: SimProcess,
  job: JobSpec,
  told: Told,
): Promise<NamedTensors> {
  const { plan, history } = world;
  const { clock } = process;
  const hash = jobHash(job);
  const warn = (message: string) => history.note(`server warns: ${message}`);
  const store = checkpointStore(`${folder}/checkpoint`, { disk, keepAll: true, warn });
  let start = await store.load(warn);
  if (start) noteResumed(world, start);
  if (!start) {
    start = freshStart(hash, new Map([['w', float32([plan.parameters], Array(plan.parameters).fill(0))]]));
    await store.save(start);
  }
  const bundle = memoryBlob([Buffer.from('a job')]);
  const prepared = new WeakMap<NamedTensors, BlobSource>();
  const spool = createSpool(`${folder}/spool`, disk);
  const open = hub.open({
    id: jobId,
    sites: job.sites,
    bundle: () => bundle,
    sink: (site, ref) => spool.sink(site, ref),
    answerLimit: 10e6,
  });
  history.leftMs.push({ site: undefined, atMs: clock.monotonicMs() }); // A site that this server has not seen is missed since.
  told.opened(open);
  const sites = remoteSites({
    job: jobId,
    names: job.sites,
    hub: open,
    clock,
    prepare(model) {
      const known = prepared.get(model) ?? memoryBlob(partsOf(model));
      prepared.set(model, known);
      return known;
    },
    read: (file) => readUpdate(disk, file),
    discard: (file) => disk.remove(file),
  });
  try {
    const last = await runServer({
      job,
      jobHash: hash,
      start,
      sites,
      store,
      loadModel: async () => new Map(),
      async onLine(line, { model, history: lines }) {
        noteCommitted(world, lines.length, { line, model });
        await spool.sweep();
      },
      emit: () => {},
      clock,
      signal: world.over,
    });
    open.end('finished', '');
    await spool.remove();
    return last.model;
  } catch (error) {
    open.pause(); // It is tried again.
    throw error;
  }
}

function noteEvent({ history }: World, event: HubEvent, atMs: number): void {
  switch (event.kind) {
    case 'answered': {
      const { site, task, round, outcome, blob, reason } = event;
      history.note(
        `server: ${site} ${task.slice(0, 8)} of round ${round} ${outcome} ${blob.sha256.slice(0, 8)} ${reason}`,
      );
      if (outcome !== 'accepted') return;
      const key = `${site} ${task}`;
      const earlier = history.accepted.get(key);
      if (earlier) history.violations.push(`P3: the answer of ${key} was accepted twice.`);
      history.accepted.set(key, { site, round, sha256: blob.sha256 });
      return;
    }
    case 'site-left':
      history.leftMs.push({ site: event.site, atMs });
      history.note(`server: ${event.site} left: ${event.reason.code} ${event.reason.message}`);
      history.disconnections.push(`server: ${event.site} ${event.reason.code} ${event.reason.message}`);
      return;
    default:
      history.note(`server: ${event.kind} ${event.site}`);
  }
}

/** A checkpoint that was announced is there after every restart (P1, P2). */
function noteResumed(world: World, { history: all, model }: Checkpoint): void {
  const { history } = world;
  const lines = all.length;
  const known = Math.max(0, ...history.committed.keys());
  history.note(`server: goes on after ${lines} lines`);
  // It may have died between writing a checkpoint and telling of it.
  if (lines === known + 1) noteCommitted(world, lines, { line: all.last!, model });
  // Also where nobody was told of the one that is damaged.
  else if ((lines === known - 1 || lines === known) && history.damaged.has('checkpoint')) goBack(history, lines);
  else if (lines !== known) {
    history.violations.push(`P2: ${known} rounds were committed, and the server goes on after ${lines}.`);
  }
}

/** Rounds that a damaged checkpoint has cost are done again. */
function goBack({ committed, accepted }: History, lines: number): void {
  committed.delete(lines + 1);
  for (const [key, { round }] of accepted) if (round >= lines) accepted.delete(key);
}

function noteCommitted(world: World, number: number, committed: CommittedRound): void {
  const { history, plan } = world;
  const { line } = committed;
  const taking = line.sites.filter(({ status }) => status === 'ok').map(({ name }) => name);
  history.note(`server: line ${number}, round ${line.round}${line.final ? ' (final)' : ''}: ${taking.join(' ')}`);
  if (history.committed.has(number)) history.violations.push(`P2: line ${number} was committed twice.`);
  if (taking.length < plan.minSites)
    history.violations.push(`S7: round ${line.round} closed with ${taking.length} sites.`);
  for (const { name, reason = '' } of line.sites) checkLost(world, name, reason);
  history.roundMs = world.time.nowMs;
  if (line.round !== number - 1) history.violations.push(`S4: line ${number} is of round ${line.round}.`);
  history.committed.set(number, committed);
}

/** P12: a site is given up after the time that was set, neither earlier nor later, and in the next rounds at once. */
function checkLost({ history, plan, time }: World, site: string, reason: string): void {
  const seconds = /^out of touch for (\d+) s$/.exec(reason)?.[1];
  if (seconds === undefined) return;
  const ms = 1000 * Number(seconds);
  const given = history.leftMs
    .filter((left) => left.site === undefined || left.site === site)
    .map(({ atMs }) => atMs + ms);
  const inRound = given.some((atMs) => atMs > history.roundMs - 600 && atMs < time.nowMs + 600);
  if (ms < plan.siteLostMs - 600 || !inRound)
    history.violations.push(`P12: ${site} was given up after ${seconds} s at ${time.nowMs.toFixed(0)} ms.`);
}

function partsOf(model: NamedTensors): readonly Uint8Array[] {
  const parts = safetensorsParts(model);
  modelDigest(model, () => parts);
  return parts;
}
