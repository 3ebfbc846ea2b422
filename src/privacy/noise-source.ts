/**
 * Where privacy noise comes from.
 *
 * @module
 */
export interface NoiseSource {
  /** True when the numbers come from the operating system's cryptographic generator. */
  readonly cryptographic: boolean;
  /** Fills `bytes` with uniform random bytes and returns it. */
  fill(bytes: Uint8Array): Uint8Array;
}
