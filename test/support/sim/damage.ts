/** What may happen to a file where it lies. */
import type { SimDisk } from './disk';

export interface Damage {
  readonly name: string;
  readonly damage: (sim: SimDisk, path: string) => void;
}

/** One bit at some places, the end missing from some places on, all of it gone. */
export const damages: readonly Damage[] = [
  ...[0, 0.1, 0.3, 0.5, 0.7, 0.9, 1].map((part) => ({
    name: `one wrong bit at ${100 * part} %`,
    damage: (sim: SimDisk, path: string) =>
      sim.damage(path, (bytes) => {
        if (bytes.length === 0) return bytes;
        const at = Math.round(part * (bytes.length - 1));
        return bytes.fill(bytes[at]! ^ (1 << (at % 7)), at, at + 1);
      }),
  })),
  ...[0, 0.5, 1].map((part) => ({
    name: `cut to ${100 * part} %, less one byte`,
    damage: (sim: SimDisk, path: string) =>
      sim.damage(path, (bytes) => bytes.subarray(0, Math.max(0, Math.round(part * bytes.length) - 1))),
  })),
  { name: 'lost', damage: (sim, path) => sim.lose(path) },
];
