import { cryptoNoise } from '../privacy/crypto-noise';
import type { NoiseSource } from '../privacy/noise-source';
import { seededTestNoise } from '../privacy/seeded-test-noise';

/** The source of privacy noise of a site, or of the server, for a round. */
export function noiseOf(testNoiseSeed: number | undefined, owner: string): (round: number) => NoiseSource {
  return (round) => (testNoiseSeed === undefined ? cryptoNoise() : seededTestNoise(testNoiseSeed, `${owner}/${round}`));
}
