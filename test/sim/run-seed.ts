/**
 * One simulated federation: a job with faults that a seed decides, then without, to its end; and what was wrong with it.
 *
 * @module
 */

import { AbortedError } from '../../src/errors';
import type { NamedTensors } from '../../src/tensor/tensor';
import { stream } from '../../src/util/streams';
import { simTime } from '../support/sim/clock';
import { type SimDisk, simDisk } from '../support/sim/disk';
import { simNetwork } from '../support/sim/network';
import { checkHistory } from './check';
import { damageOne } from './damage-fault';
import { planFaults } from './faults';
import { createHistory } from './history';
import { startHostileSite } from './hostile-site';
import { noteAnswer } from './note-answer';
import { type Fault, type Plan, planOf } from './plan';
import { type RunningServer, startServer } from './server-process';
import { jobStateFile, type RunningSite, startSite } from './site-process';
import { watchedNetwork } from './wire-watch';
import { jobId, serverName, type World } from './world-types';

export interface SeedResult {
  readonly seed: number;
  readonly plan: Plan;
  readonly violations: readonly string[];
  /** SHA-256 of all that happened: the same for the same seed. */
  readonly digest: string;
  readonly lines: readonly string[];
  readonly final: NamedTensors | undefined;
  readonly virtualMs: number;
}

/** Longest that the job may take once nothing goes wrong any more, virtual milliseconds. */
const healedMs = 400_000;
/** How soon after that the sites know that it is over. */
const endKnownMs = 20_000;
/** More happens only where something goes round in circles. */
const mostEvents = 1_000_000;
/** How often the job is asked whom it waits for, and how often it may not say. */
const lookEveryMs = 250;
const silentLooks = 12;

export async function runSeed(seed: number): Promise<SeedResult> {
  const plan = planOf(seed);
  const time = simTime();
  const randomOf = (name: string) => {
    const numbers = stream(seed, name);
    return () => numbers.random();
  };
  const history = createHistory(() => time.nowMs);
  const network = watchedNetwork(simNetwork(time, randomOf('network')), {
    plan,
    violations: history.violations,
    offered: (site, task, { round, sha256 }) =>
      noteAnswer(history, site, task, { round, sha256, files: () => disks.get(site)!.files() }),
  });
  const disks = new Map<string, SimDisk>();
  for (const name of [serverName, ...plan.sites]) disks.set(name, newDisk(name));
  const sites = new Map<string, RunningSite>();
  const boots = new Map<string, number>();
  let server: RunningServer | undefined;
  let final: NamedTensors | undefined;
  const over = new AbortController();
  const world: World = {
    time,
    network,
    history,
    plan,
    randomOf,
    healed: () => time.nowMs >= plan.healMs,
    over: over.signal,
    siteEnded: (name) => restartSite(name, 300),
  };
  bootServer();
  for (const name of plan.sites) bootSite(name);
  if (plan.gone) time.at(plan.gone.atMs, () => leaveForEver(plan.gone!.site));
  watchWaiting();
  planFaults(plan, {
    at: (timeMs, act) => void time.at(timeMs, act),
    random: randomOf('faults'),
    note: history.note,
    server: () => server?.process,
    site: (name) => sites.get(name)?.process,
    everybody: () => [...(server ? [server] : []), ...sites.values()].map(({ process }) => process),
    killServer,
    killSite,
    link: (name) => network.link(name),
    serverDisk: disks.get(serverName)!,
    siteDisk: (name) => disks.get(name)!,
    damage,
  });
  await reach('the job is finished', () => final !== undefined && time.nowMs > plan.healMs, plan.healMs + healedMs);
  if (final) await reach('the sites know', () => listeners().every(knowsTheEnd), endKnownMs);
  for (const violation of checkHistory({ plan, history, final, disks })) history.violations.push(violation);
  const result = {
    seed,
    plan,
    violations: [...history.violations],
    digest: history.digest(),
    lines: [...history.lines],
    final,
    virtualMs: time.nowMs,
  };
  over.abort(new AbortedError('The simulation is over.'));
  return result;

  /** L1: it comes to that. */
  async function reach(what: string, done: () => boolean, withinMs: number): Promise<void> {
    try {
      await time.run(() => {
        if (time.events > mostEvents) throw new Error(`${mostEvents} events have happened.`);
        return done();
      }, withinMs);
    } catch (error) {
      const whom = JSON.stringify(server?.waiting() ?? 'the job is not open');
      const why = error instanceof Error ? error.message : error;
      history.violations.push(`L1: it does not come to it that ${what}. ${why} It waits for ${whom}.`);
    }
  }

  /** L2: while the job is not finished and nothing is wrong any more, it says whom it waits for. */
  function watchWaiting(unnamed = 0): void {
    const isSilent = world.healed() && final === undefined && server?.process.alive && server.waiting()?.length === 0;
    if (isSilent && unnamed === silentLooks)
      history.violations.push('L2: the job waits for something that it does not name.');
    if (final === undefined) time.at(time.nowMs + lookEveryMs, () => watchWaiting(isSilent ? unnamed + 1 : 0));
  }

  /** Honest sites that know the job, and are there. */
  function listeners(): string[] {
    return plan.sites.filter(
      (name) => history.offered.has(name) && name !== plan.gone?.site && sites.get(name)?.process.alive,
    );
  }

  function knowsTheEnd(name: string): boolean {
    if (history.ended.has(name)) return true;
    const state = disks.get(name)!.files().get(jobStateFile(jobId));
    return state?.includes('"ended"') === true;
  }

  function leaveForEver(name: string): void {
    history.note(`${name} leaves for ever`);
    sites.get(name)?.kill();
  }

  function isGone(name: string): boolean {
    return plan.gone?.site === name && time.nowMs >= plan.gone.atMs;
  }

  function damage(fault: Fault): void {
    const targets = { plan, history, serverDisk: disks.get(serverName)!, siteDisk: disks.get(fault.site)! };
    const isOver = [...history.committed.values()].some(({ line }) => line.final); // Sites may have dropped what was for the job.
    const whose = isOver ? undefined : damageOne(fault, targets);
    if (whose === 'server') killServer('stays', 300);
    if (whose === 'site') killSite(fault.site, 'stays', 300);
  }

  function newDisk(name: string): SimDisk {
    return simDisk({ random: randomOf(`disk/${name}`), clock: { after: (ms, act) => time.at(time.nowMs + ms, act) } });
  }

  function nextBoot(name: string): number {
    const boot = (boots.get(name) ?? 0) + 1;
    boots.set(name, boot);
    history.note(`${name} starts (${boot})`);
    return boot;
  }

  function bootServer(): void {
    if (server?.process.alive) return;
    server = startServer(world, disks.get(serverName)!, nextBoot(serverName), (model) => {
      final = model;
    });
  }

  function bootSite(name: string): void {
    if (sites.get(name)?.process.alive || isGone(name)) return;
    const boot = nextBoot(name);
    const start = name === plan.hostile ? startHostileSite(world, name, boot) : undefined;
    sites.set(name, start ?? startSite(world, name, disks.get(name)!, boot));
  }

  function restartSite(name: string, downMs: number): void {
    sites.get(name)?.kill();
    time.at(time.nowMs + downMs, () => bootSite(name));
  }

  function killServer(power: 'stays' | 'is cut', downMs: number): void {
    server?.kill();
    if (power === 'is cut') disks.get(serverName)!.powerCut();
    time.at(Math.min(time.nowMs + downMs, Math.max(plan.healMs, time.nowMs)), bootServer);
  }

  function killSite(name: string, power: 'stays' | 'is cut', downMs: number): void {
    restartSite(name, downMs);
    if (power === 'is cut') disks.get(name)!.powerCut();
  }
}
