/**
 * A simulated site: the agent, the jobs and the site of the product on a simulated process, network and disk.
 *
 * @module
 */
import { join } from 'node:path';
import { createSite } from '../../src/executors/site';
import type { PlacedFilter } from '../../src/filters/placed-filter';
import { seededTestNoise } from '../../src/privacy/seeded-test-noise';
import { siteJobs, type TaskRunner } from '../../src/runtime/client/site-jobs';
import { siteLedger } from '../../src/runtime/site-ledger';
import { siteStateStore } from '../../src/runtime/site-store';
import { noteStateFile, writeStateFile } from '../../src/runtime/state-file';
import { runAgent } from '../../src/transport/agent';
import type { AgentEvent } from '../../src/transport/agent-types';
import type { Disk } from '../../src/util/disk';
import { type SimProcess, simProcess } from '../support/sim/clock';
import type { SimDisk } from '../support/sim/disk';
import { digestOf, noiseFilter, toyExecutor } from './toy-site';
import { certificateOf, type World } from './world-types';

export interface RunningSite {
  readonly process: SimProcess;
  kill(): void;
}

/** Starts the process of a site on its disk, as after a fresh boot. */
export function startSite(world: World, name: string, disk: SimDisk, boot: number): RunningSite {
  const process = simProcess(world.time);
  const mounted = disk.mount();
  process.ended(() => mounted.kill());
  void main(world, name, mounted, process, boot).catch((error: unknown) => {
    if (!process.alive) return;
    world.history.note(`${name} ends: ${error instanceof Error ? error.message : error}`);
    world.siteEnded(name); // Whoever runs it starts it again.
  });
  return { process, kill: () => process.kill() };
}

async function main(world: World, name: string, disk: Disk, process: SimProcess, boot: number): Promise<void> {
  const { clock } = process;
  const random = world.randomOf(`${name}/${boot}`);
  const jobs = await siteJobs({
    disk,
    folder: '/site/jobs',
    site: name,
    consider: async () => ({ verdict: 'accepted', reason: '' }),
    start: (_, folder) => startRunner(world, name, { disk, folder, process, random }),
  });
  await runAgent({
    clock,
    dialer: world.network.dialer(process, certificateOf(name)),
    random,
    software: 'consilium sim',
    boot: `${name}-${boot}`,
    resources: { slots: 1, memoryMb: 1000, gpus: 0 },
    times: { heartbeatMs: 1000, deadMs: 5000, welcomeMs: 5000, reconnectMinMs: 200, reconnectMaxMs: 3000 },
    jobs,
    on: (event) => noteEvent(world, name, event),
    signal: new AbortController().signal,
  });
}

interface RunnerPlace {
  readonly disk: Disk;
  readonly folder: string;
  readonly process: SimProcess;
  readonly random: () => number;
}

async function startRunner(
  world: World,
  name: string,
  { disk, folder, process, random }: RunnerPlace,
): Promise<TaskRunner> {
  const { plan, history } = world;
  const executor = toyExecutor({
    site: name,
    clock: process.clock,
    random,
    mostMs: plan.mostTaskMs,
    fails: () => !world.healed() && random() < plan.taskFailure,
    asked: (round, model) => void history.work.push({ kind: 'asked', site: name, round, model: digestOf(model) }),
    trained(training) {
      history.work.push({ kind: 'trained', ...training });
      if (history.damaged.has('ledger') && name === history.victim)
        history.violations.push(`C-36: ${name} goes on training with a damaged ledger.`);
    },
  });
  const ledger = await siteLedger(folder, name, disk);
  checkAccount(world, name, ledger.spent('noise'));
  const noise: PlacedFilter = { tasks: ['train'], sites: undefined, filter: noiseFilter(random, () => {}) };
  const write = async (path: string, parts: readonly Uint8Array[], superseded: string | undefined) => {
    await writeStateFile(path, parts, disk);
    await noteStateFile(path, superseded, disk);
  };
  const site = createSite({
    name,
    executor,
    filtersIn: [],
    filtersOut: plan.noise ? [noise] : [],
    store: siteStateStore(folder, write, { disk, warn: (message) => history.note(`${name} warns: ${message}`) }),
    ledger,
    noise: () => seededTestNoise(1),
    clock: process.clock,
  });
  return {
    async run(task, { signal, progress }) {
      const { update, durable } = await site.run(task, {
        signal,
        progress: ({ phase, done, total }) => progress({ phase, done, total }),
      });
      await durable;
      return update;
    },
    close: () => site.close(),
  };
}

/** S9: after every start, a site knows at least of the noised updates that have left it. */
function checkAccount({ plan, history }: World, name: string, spent: number): void {
  if (!plan.noise) return;
  const noised = [...history.sent.values()].filter(({ site, update }) => site === name && update.task === 'train');
  if (spent < noised.length)
    history.violations.push(
      `S9: ${name} starts with ε = ${spent} spent, and has sent ${noised.length} noised updates.`,
    );
}

function noteEvent({ history }: World, name: string, event: AgentEvent): void {
  switch (event.kind) {
    case 'answering': {
      const { task, blob } = event;
      history.note(`${name} answers ${task.slice(0, 8)} with ${blob.sha256.slice(0, 8)}`);
      return;
    }
    case 'task-started': {
      const { task, round } = event;
      if (history.accepted.has(`${name} ${task}`)) {
        history.violations.push(`P2: ${name} carries out ${task.slice(0, 8)} again, whose answer was acknowledged.`);
      }
      history.note(`${name} starts ${task.slice(0, 8)} of round ${round}`);
      return;
    }
    case 'unreachable':
    case 'trouble':
    case 'task-failed':
      history.note(`${name} ${event.kind}: ${event.error instanceof Error ? event.error.message : event.error}`);
      return;
    case 'disconnected':
      history.note(`${name} disconnected: ${event.reason.code} ${event.reason.message}`);
      history.disconnections.push(`${name}: ${event.reason.code} ${event.reason.message}`);
      return;
    case 'job-offered':
      history.note(`${name} ${event.kind} ${event.verdict}`);
      history.offered.add(name);
      return;
    case 'job-ended':
      history.note(`${name} ${event.kind}`);
      history.ended.add(name);
      return;
    default:
      history.note(`${name} ${event.kind}`);
  }
}

/** Where the site's ledger lies. */
export const ledgerFile = (job: string) => join('/site/jobs', job, 'privacy', 'ledger.jsonl');

/** Where the site keeps what it has decided about a job, and what became of that. */
export const jobStateFile = (job: string) => join('/site/jobs', job, 'job-state.json');
