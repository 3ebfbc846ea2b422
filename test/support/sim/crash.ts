/** Programs on a simulated disk that ends in the middle of them. */
import { MersenneTwister } from '../../../src/util/mersenne-twister';
import { type DiskOperation, type MountedDisk, type Remains, type SimDisk, simDisk } from './disk';

export interface Crash {
  /** Number of the operation. */
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

/** Runs a program on a new disk until it ends or the crash comes. Rejects with what the program throws. */
export async function runUntil<T>(
  crash: Crash | undefined,
  program: (disk: MountedDisk, sim: SimDisk) => Promise<T>,
  { seed = 1, ...more }: { readonly seed?: number; readonly files?: ReadonlyMap<string, Uint8Array> } = {},
): Promise<Ended<T>> {
  const operations: DiskOperation[] = [];
  let crashed = () => {};
  const end = new Promise<undefined>((resolve) => {
    crashed = () => resolve(undefined);
  });
  const sim = quickDisk(seed, {
    ...more,
    onOperation(operation, when) {
      if (when === 'before') operations.push(operation);
      if (!crash || operation.number !== crash.at || when !== (crash.when ?? 'after')) return;
      if (crash.how === 'kill') disk.kill();
      else sim.powerCut(crash.remains);
      crashed();
    },
  });
  const disk = sim.mount();
  const result = await Promise.race([program(disk, sim), end]);
  return { sim, operations, result };
}
