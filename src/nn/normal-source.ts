/**
 * Normal numbers as PyTorch draws them on the CPU.
 *
 * @module
 */
import type { MersenneTwister } from '../util/mersenne-twister';

/**
 * Box and Muller's transform (1958), in PyTorch's order of draws. Its float32 logarithms and sines differ between
 * processors in the last digits; these numbers agree with all of them to about 1e-6 of the deviation.
 */
export class NormalSource {
  private readonly random: MersenneTwister;
  /** The second number of a pair of which only one has been used. */
  private spare: number | undefined;

  constructor(random: MersenneTwister) {
    this.random = random;
  }

  /** What `normal_(mean, deviation)` puts into a tensor of `length` elements. */
  draw(length: number, mean: number, deviation: number): Float32Array {
    const data = length < 16 ? Float32Array.from({ length }, () => this.next()) : this.many(length);
    return data.map((x) => x * deviation + mean);
  }

  /** For fewer than sixteen elements: pairs in double precision. */
  private next(): number {
    const spare = this.spare;
    this.spare = undefined;
    if (spare !== undefined) return spare;
    const angle = 2 * Math.PI * uniform53(this.random);
    const radius = Math.sqrt(-2 * Math.log1p(-uniform53(this.random)));
    this.spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** Blocks of sixteen; the last sixteen elements are drawn anew when the length is no multiple of sixteen. */
  private many(length: number): Float32Array {
    const data = Float32Array.from({ length }, () => uniform24(this.random));
    for (let i = 0; i + 16 <= length; i += 16) transformSixteen(data, i);
    if (length % 16 !== 0) {
      for (let i = length - 16; i < length; i++) data[i] = uniform24(this.random);
      transformSixteen(data, length - 16);
    }
    return data;
  }
}

/** Sixteen uniform numbers, eight of radii and eight of angles, become normal ones. */
function transformSixteen(data: Float32Array, start: number): void {
  for (let i = start; i < start + 8; i++) {
    const radius = Math.sqrt(-2 * Math.log(1 - data[i]!));
    const angle = 2 * Math.PI * data[i + 8]!;
    data[i] = radius * Math.cos(angle);
    data[i + 8] = radius * Math.sin(angle);
  }
}

/** A uniform number in [0, 1) of 24 bits, as PyTorch draws float32. */
export function uniform24(random: MersenneTwister): number {
  return (random.uint32() & 0xffffff) * 2 ** -24;
}

/** A uniform number in [0, 1) of 53 bits, as PyTorch draws float64: the first draw is the high half. */
function uniform53(random: MersenneTwister): number {
  const [high, low] = [random.uint32(), random.uint32()];
  return ((high & 0x1fffff) * 2 ** 32 + low) * 2 ** -53;
}
