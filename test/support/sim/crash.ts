/** Programs on a simulated disk that ends in the middle of them. */
import { MersenneTwister } from '../../../src/util/mersenne-twister';
import { type DiskOperation, type MountedDisk, type Remains, type SimDisk, simDisk } from './disk';

export interface Crash {
  /** Number of the operation, counted from the start of the program. */
  readonly at: number;
  /** Before its effect, or between that and the answer. @default 'after' */
  readonly when?: 'before' | 'after';
  readonly how: 'power cut' | 'kill';
  /** Of what was not flushed, in a power cut. @default left to chance */
  readonly remains?: Remains;
}

export interface Ended<T> {
  readonly sim: SimDisk;
  /** All that took effect or were about to. */
  readonly operations: readonly DiskOperation[];
  /** `undefined` when the crash came first. */
  readonly result: T | undefined;
}

/** Acts at once, in the order of the calls. */
export const atOnce = { after: (_: number, act: () => void) => setImmediate(act) };

/** A disk whose operations take no time. */
export function quickDisk(seed: number, more: Partial<Parameters<typeof simDisk>[0]> = {}): SimDisk {
  const random = new MersenneTwister(seed);
  return simDisk({ random: () => random.random(), clock: atOnce, ...more });
}

export interface RunOptions {
  /** The disk that the program runs on. @default a new one */
  readonly sim?: SimDisk;
  /** Of a new disk. @default 1 */
  readonly seed?: number;
}

/** Runs a program until it ends or the crash comes. Rejects with what the program throws. */
export async function runUntil<T>(
  crash: Crash | undefined,
  program: (disk: MountedDisk) => Promise<T>,
  { seed = 1, sim = quickDisk(seed) }: RunOptions = {},
): Promise<Ended<T>> {
  const operations: DiskOperation[] = [];
  const disk = sim.mount();
  const end = new Promise<undefined>((resolve) => {
    sim.onOperation = (operation, when) => {
      if (when === 'before') operations.push({ ...operation, number: operations.length + 1 });
      if (operations.length !== crash?.at || when !== (crash.when ?? 'after')) return;
      sim.onOperation = undefined;
      if (crash.how === 'kill') disk.kill();
      else sim.powerCut(crash.remains);
      resolve(undefined);
    };
  });
  const result = await Promise.race([program(disk), end]);
  sim.onOperation = undefined;
  return { sim, operations, result };
}
