/**
 * Carries out the faults of a plan, and ends them all at its end.
 *
 * @module
 */
import type { SimProcess } from '../support/sim/clock';
import type { DiskOperation, SimDisk } from '../support/sim/disk';
import type { Link } from '../support/sim/network';
import type { Fault, Plan } from './plan';

/** What faults act on. Processes are those that run at the moment. */
export interface Victims {
  readonly at: (timeMs: number, act: () => void) => void;
  readonly random: () => number;
  readonly note: (line: string) => void;
  server(): SimProcess | undefined;
  site(name: string): SimProcess | undefined;
  everybody(): readonly SimProcess[];
  /** Kills a process, and starts another one a while later. */
  killServer(power: 'stays' | 'is cut', downMs: number): void;
  killSite(name: string, power: 'stays' | 'is cut', downMs: number): void;
  link(name: string): Link;
  /** Damages a file of a process that does not run meanwhile. */
  damage(fault: Fault): void;
  readonly serverDisk: SimDisk;
  siteDisk(name: string): SimDisk;
}

export function planFaults(plan: Plan, victims: Victims): void {
  for (const fault of plan.faults) {
    victims.at(fault.atMs, () => {
      victims.note(`fault: ${fault.kind} ${fault.site} for ${fault.forMs.toFixed(0)} ms`);
      const end = carryOut(fault, victims);
      victims.at(Math.min(fault.atMs + fault.forMs, plan.healMs), end);
    });
  }
}

/** Returns what ends it. */
function carryOut(fault: Fault, victims: Victims): () => void {
  const { kind, site, forMs } = fault;
  const { random } = victims;
  const link = victims.link(site);
  switch (kind) {
    case 'kill-server':
    case 'cut-power-of-server':
      victims.killServer(kind === 'kill-server' ? 'stays' : 'is cut', forMs);
      return () => {};
    case 'crash-server-at-disk':
      return crashAtDisk(fault, victims, victims.serverDisk, (power) => victims.killServer(power, 300));
    case 'crash-site-at-disk':
      return crashAtDisk(fault, victims, victims.siteDisk(site), (power) => victims.killSite(site, power, 300));
    case 'damage':
      victims.damage(fault);
      return () => {};
    case 'kill-site':
    case 'cut-power-of-site':
      victims.killSite(site, kind === 'kill-site' ? 'stays' : 'is cut', forMs);
      return () => {};
    case 'freeze-site': {
      const process = victims.site(site);
      process?.freeze();
      return () => process?.thaw();
    }
    case 'sleep-machine': {
      const asleep = victims.everybody();
      for (const process of asleep) process.freeze();
      return () => {
        for (const process of asleep) process.thaw();
      };
    }
    case 'block-server':
      victims.server()?.block(forMs);
      return () => {};
    case 'jump-clock':
      (random() < 0.5 ? victims.server() : victims.site(site))?.jumpWall((random() < 0.5 ? -1 : 1) * 24 * 3600 * 1000);
      return () => {};
    case 'cut-link':
      link.cut();
      link.faults.down = true;
      return () => {
        link.faults.down = false;
      };
    case 'half-open':
      link.halfOpen();
      return () => {};
    case 'lose-one-way': {
      const direction = random() < 0.5 ? 'to-server' : 'to-client';
      link.faults.lost.add(direction);
      return () => void link.faults.lost.delete(direction);
    }
    case 'slow-link':
      Object.assign(link.faults, {
        delayMs: 1 + random() * 300,
        jitterMs: random() * 200,
        bytesPerSecond: 20_000 + random() * 1e6,
      });
      return () =>
        void Object.assign(link.faults, { delayMs: 1, jitterMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY });
    case 'double-frames':
      link.faults.duplicate = random();
      return () => {
        link.faults.duplicate = 0;
      };
    case 'bad-link': {
      const some = (most: number) => (random() < 0.5 ? random() * most : 0);
      Object.assign(link.faults, { duplicate: some(0.2), drop: some(0.05), reorder: some(0.1), flip: some(0.05) });
      return () => void Object.assign(link.faults, { duplicate: 0, drop: 0, reorder: 0, flip: 0 });
    }
    case 'full-disk': {
      const disk = random() < 0.5 ? victims.serverDisk : victims.siteDisk(site);
      disk.faults.quotaBytes = 0;
      return () => {
        disk.faults.quotaBytes = undefined;
      };
    }
    case 'bad-flush': {
      const disk = random() < 0.5 ? victims.serverDisk : victims.siteDisk(site);
      disk.faults.fail = (operation) =>
        (operation.kind === 'sync' || operation.kind === 'syncFolder') && random() < 0.3 ? 'EIO' : undefined;
      return () => {
        disk.faults.fail = undefined;
      };
    }
  }
}

/** A crash in one of the next moments at which what is on the disk changes, or is to last. */
function crashAtDisk(
  { chance }: Fault,
  { random }: Victims,
  disk: SimDisk,
  kill: (power: 'stays' | 'is cut') => void,
): () => void {
  const when = random() < 0.5 ? 'before' : 'after';
  let left = 1 + Math.floor(chance * 24);
  const listen = ({ kind }: DiskOperation, at: 'before' | 'after') => {
    if (at !== when || !decisive.has(kind) || --left > 0) return;
    disk.onOperation = undefined;
    kill(random() < 0.7 ? 'is cut' : 'stays');
  };
  disk.onOperation = listen;
  return () => {
    if (disk.onOperation === listen) disk.onOperation = undefined;
  };
}

const decisive: ReadonlySet<DiskOperation['kind']> = new Set(['write', 'sync', 'syncFolder', 'rename', 'remove']);
