import { randomFillSync } from 'node:crypto';
import type { NoiseSource } from './noise-source';

/** Noise from the operating system's cryptographic generator. It cannot be seeded. */
export function cryptoNoise(): NoiseSource {
  return { cryptographic: true, fill: (bytes) => randomFillSync(bytes) };
}
