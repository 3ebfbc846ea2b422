import { ConfigError } from '../errors';
import { cryptoNoise } from '../privacy/crypto-noise';
import type { NoiseSource } from '../privacy/noise-source';
import { seededTestNoise } from '../privacy/seeded-test-noise';

/** The source of privacy noise of a site, or of the server, for a round. */
export function noiseOf(testNoiseSeed: number | undefined, owner: string): (round: number) => NoiseSource {
  return (round) => (testNoiseSeed === undefined ? cryptoNoise() : seededTestNoise(testNoiseSeed, `${owner}/${round}`));
}

/** @throws ConfigError unless this is a test: noise that can be repeated protects nobody. */
export function testNoiseSeedFrom(env: Readonly<Record<string, string | undefined>>): number | undefined {
  const text = env.CONSILIUM_TEST_NOISE_SEED;
  if (text === undefined || text === '') return undefined;
  if (env.NODE_ENV !== 'test') {
    throw new ConfigError(
      'CONSILIUM_TEST_NOISE_SEED is set, and NODE_ENV is not test: noise from a seed is NOT PRIVATE.',
      {
        hint: 'Unset CONSILIUM_TEST_NOISE_SEED.',
      },
    );
  }
  const seed = Number(text);
  if (Number.isSafeInteger(seed) && seed >= 0) return seed;
  throw new ConfigError(`CONSILIUM_TEST_NOISE_SEED was to be a whole number, and is '${text.slice(0, 50)}'.`);
}
