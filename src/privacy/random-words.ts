import type { NoiseSource } from './noise-source';

/** The buffer starts small, so that a call on three numbers stays cheap, and grows to 1 MiB. */
const FIRST_WORDS = 64;
const MOST_WORDS = 1 << 18;

/**
 * Uniform 32-bit words from a noise source, read through a buffer. Words are used once; the buffer is overwritten with
 * zeros by {@link RandomWords.dispose}, so that no noise stays in memory after the call that drew it.
 */
export class RandomWords {
  readonly #noise: NoiseSource;
  #words = new Uint32Array(0);
  #at = 0;

  constructor(noise: NoiseSource) {
    this.#noise = noise;
  }

  /** A uniform integer in [0, 2^32). */
  next(): number {
    if (this.#at === this.#words.length) this.#refill();
    return this.#words[this.#at++]!;
  }

  /**
   * True with probability exactly `p`, any double in [0, 1]: compares a uniform real, drawn 32 bits at a time, with the
   * binary expansion of `p`. Scaling by 2^32 and subtracting the integer part are exact in binary floating point, so the
   * only error in a probability is the one made when `p` was computed.
   */
  bernoulli(p: number): boolean {
    for (let rest = p; ; ) {
      const scaled = rest * 0x1_0000_0000;
      const high = Math.floor(scaled);
      const word = this.next();
      if (word !== high) return word < high;
      rest = scaled - high;
      if (rest === 0) return false;
    }
  }

  /** A uniform integer in [0, n), 1 ≤ n ≤ 2^32, by rejection: exactly uniform. */
  below(n: number): number {
    const shift = Math.clz32(n - 1);
    if (shift === 32) return 0;
    for (;;) {
      const word = this.next() >>> shift;
      if (word < n) return word;
    }
  }

  /** Overwrites what was drawn. The object can still be used and then draws fresh words. */
  dispose(): void {
    this.#words.fill(0);
    this.#at = this.#words.length;
  }

  #refill(): void {
    if (this.#words.length < MOST_WORDS) {
      this.#words.fill(0);
      this.#words = new Uint32Array(Math.min(MOST_WORDS, Math.max(FIRST_WORDS, this.#words.length * 8)));
    }
    this.#noise.fill(new Uint8Array(this.#words.buffer));
    this.#at = 0;
  }
}
