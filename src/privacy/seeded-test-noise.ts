import { createCipheriv, createHash } from 'node:crypto';
import type { NoiseSource } from './noise-source';

/**
 * NOT PRIVATE. Noise that repeats, for tests and for replaying a run: the AES-256-CTR keystream under SHA-256 of the
 * seed and the name. Whoever knows the seed can subtract the noise, so every mechanism that draws from it reports
 * `differentiallyPrivate: false` and ε = ∞.
 *
 * @param name what the stream is for, such as `'site-1', 3`; streams of different names are independent.
 */
export function seededTestNoise(seed: number, ...name: readonly (string | number)[]): NoiseSource {
  const key = createHash('sha256')
    .update(JSON.stringify(['consilium seeded noise: not private', seed, ...name]))
    .digest();
  const keystream = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  return {
    cryptographic: false,
    fill(bytes) {
      bytes.set(keystream.update(new Uint8Array(bytes.byteLength)));
      return bytes;
    },
  };
}
