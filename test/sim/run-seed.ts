/**
 * One simulated federation: a job with faults that a seed decides, then without, to its end; and what was wrong with it.
 *
 * @module
 */

import type { NamedTensors } from '../../src/tensor/tensor';
import { stream } from '../../src/util/streams';
import { simTime } from '../support/sim/clock';
import { type SimDisk, simDisk } from '../support/sim/disk';
import { simNetwork } from '../support/sim/network';
import { checkHistory } from './check';
import { planFaults } from './faults';
import { createHistory } from './history';
import { type Plan, planOf } from './plan';
import { type RunningServer, startServer } from './server-process';
import { type RunningSite, startSite } from './site-process';
import { canary } from './toy-site';
import { serverName, type World } from './world-types';

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
const healedMs = 180_000;

export async function runSeed(seed: number): Promise<SeedResult> {
  const plan = planOf(seed);
  const time = simTime();
  const randomOf = (name: string) => {
    const numbers = stream(seed, name);
    return () => numbers.random();
  };
  const history = createHistory(() => time.nowMs);
  const network = watchedNetwork(simNetwork(time, randomOf('network')), history.violations);
  const disks = new Map<string, SimDisk>();
  for (const name of [serverName, ...plan.sites]) disks.set(name, newDisk(name));
  const sites = new Map<string, RunningSite>();
  const boots = new Map<string, number>();
  let server: RunningServer | undefined;
  let final: NamedTensors | undefined;
  const world: World = {
    time,
    network,
    history,
    plan,
    randomOf,
    healed: () => time.nowMs >= plan.healMs,
    siteEnded: (name) => restartSite(name, 300),
  };
  bootServer();
  for (const name of plan.sites) bootSite(name);
  planFaults(plan, {
    at: (timeMs, act) => void time.at(timeMs, act),
    random: randomOf('faults'),
    note: history.note,
    server: () => server?.process,
    site: (name) => sites.get(name)?.process,
    killServer,
    killSite,
    link: (name) => network.link(name),
    serverDisk: disks.get(serverName)!,
    siteDisk: (name) => disks.get(name)!,
  });
  try {
    await time.run(() => final !== undefined && time.nowMs > plan.healMs, plan.healMs + healedMs);
    await time.runFor(5000); // The sites hear of the end.
  } catch (error) {
    const whom = JSON.stringify(server?.waiting() ?? 'the job is not open');
    history.violations.push(`L1: ${error instanceof Error ? error.message : error} It waits for ${whom}.`);
  }
  for (const violation of checkHistory({ plan, history, final, disks })) history.violations.push(violation);
  return {
    seed,
    plan,
    violations: history.violations,
    digest: history.digest(),
    lines: history.lines,
    final,
    virtualMs: time.nowMs,
  };

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
    if (sites.get(name)?.process.alive) return;
    sites.set(name, startSite(world, name, disks.get(name)!, nextBoot(name)));
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

/** Looks into everything that is sent (S10). */
function watchedNetwork(network: ReturnType<typeof simNetwork>, violations: string[]): ReturnType<typeof simNetwork> {
  const secret = Buffer.from(canary);
  return {
    ...network,
    dialer(process, identity) {
      const dialer = network.dialer(process, identity);
      return {
        async dial(handler, signal) {
          return dialer.dial((connection) => {
            const send = connection.send;
            const watched = {
              get peer() {
                return connection.peer;
              },
              get bufferedBytes() {
                return connection.bufferedBytes;
              },
              pause: () => connection.pause(),
              resume: () => connection.resume(),
              close: (reason: Parameters<typeof connection.close>[0]) => connection.close(reason),
              send(parts: readonly Uint8Array[]) {
                if (parts.some((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength).includes(secret))) {
                  violations.push(`S10: ${identity.name} sends what must not leave it.`);
                }
                send(parts);
              },
            };
            return handler(watched);
          }, signal);
        },
      };
    },
  };
}
