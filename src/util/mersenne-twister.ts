/**
 * MT19937 (Matsumoto & Nishimura 1998) with the drawing rules of NumPy's legacy `RandomState` and of PyTorch's CPU
 * generator, so that draws equal theirs bit for bit. Not for privacy noise: see `privacy/`.
 *
 * @module
 */

const N = 624;
const M = 397;

export class MersenneTwister {
  private readonly state = new Uint32Array(N);
  private index = N;

  /** @param seed any integer; its low 32 bits are used, as `init_genrand` does. */
  constructor(seed: number) {
    const s = this.state;
    s[0] = seed >>> 0;
    for (let i = 1; i < N; i++) {
      const previous = s[i - 1]!;
      s[i] = Math.imul(1812433253, previous ^ (previous >>> 30)) + i;
    }
  }

  /** A uniform integer in [0, 2³²). */
  uint32(): number {
    if (this.index === N) this.refill();
    let y = this.state[this.index++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    y ^= y >>> 18;
    return y >>> 0;
  }

  /** A uniform double in [0, 1) with 53 bits: NumPy's `rand()`. */
  random(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  /** NumPy's `uniform(low, high)`. */
  uniform(low: number, high: number): number {
    return low + (high - low) * this.random();
  }

  /** NumPy's legacy `randint(low, high)` for ranges below 2³²: masked rejection, no draw when only one value is possible. */
  randint(low: number, high: number): number {
    const range = high - 1 - low;
    if (range === 0) return low;
    const mask = range >= 0xffffffff ? 0xffffffff : 2 ** (32 - Math.clz32(range)) - 1;
    for (;;) {
      const value = (this.uint32() & mask) >>> 0;
      if (value <= range) return low + value;
    }
  }

  /** PyTorch's `randperm(n)` for n < 2³²: a forward Fisher–Yates shuffle by modulo. */
  permutation(n: number): number[] {
    const order = Array.from({ length: n }, (_, i) => i);
    for (let i = 0; i < n - 1; i++) {
      const j = i + (this.uint32() % (n - i));
      const swap = order[i]!;
      order[i] = order[j]!;
      order[j] = swap;
    }
    return order;
  }

  private refill(): void {
    const s = this.state;
    for (let i = 0; i < N; i++) {
      const y = (s[i]! & 0x80000000) | (s[(i + 1) % N]! & 0x7fffffff);
      s[i] = s[(i + M) % N]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.index = 0;
  }
}
