/**
 * Named random streams. Every random decision of a run draws from a stream that is a pure function of the job's seed and
 * of a name such as `['site-1', 'shuffle', 3]`; so nothing about randomness needs to be saved to resume a run, and no
 * stream depends on how many draws another one made.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { MersenneTwister } from './mersenne-twister';

/** A 32-bit seed from the job's seed and a name, by SHA-256. Equal for equal arguments, on every machine. */
export function deriveSeed(seed: number, ...name: readonly (string | number)[]): number {
  const digest = createHash('sha256')
    .update(JSON.stringify([seed, ...name]))
    .digest();
  return digest.readUInt32LE(0);
}

/** The stream named `name` under `seed`. */
export function stream(seed: number, ...name: readonly (string | number)[]): MersenneTwister {
  return new MersenneTwister(deriveSeed(seed, ...name));
}
