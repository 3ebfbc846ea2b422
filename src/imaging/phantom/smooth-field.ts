/**
 * Smooth random fields: white noise on a coarse grid, interpolated by cubic B-splines.
 *
 * @module
 */
import type { MersenneTwister } from '../../util/mersenne-twister';
import type { Size3 } from '../volume';

/** Standard deviation of a sum of four uniform bytes. */
const FOUR_BYTES_DEVIATION = Math.sqrt((4 * (256 ** 2 - 1)) / 12);

/** Undoes the smoothing of the variance by the spline, whose squared weights average 0.479 an axis. */
const SPLINE_GAIN = 0.479 ** -1.5;

/** About normal with mean 0 and deviation 1, from a single draw: the sum of its four bytes. */
export function roughNormal(random: MersenneTwister): number {
  const word = random.uint32();
  const sum = (word & 255) + ((word >>> 8) & 255) + ((word >>> 16) & 255) + (word >>> 24);
  return (sum - 510) / FOUR_BYTES_DEVIATION;
}

/**
 * A field of about unit deviation that varies over `cell` voxels, C order of `size`.
 *
 * @param cell distance of the coarse grid's points in voxels, > 0.
 */
export function smoothField(random: MersenneTwister, size: Size3, cell: number): Float32Array {
  const coarse = size.map((n) => Math.ceil((n - 1) / cell) + 4);
  let field: Float32Array = Float32Array.from(
    { length: coarse.reduce((a, b) => a * b) },
    () => roughNormal(random) * SPLINE_GAIN,
  );
  // From the last axis to the first: the expensive passes then run along contiguous memory.
  const shape = [...coarse];
  for (const axis of [2, 1, 0]) {
    field = refine(field, { shape, axis, n: size[axis]!, cell });
    shape[axis] = size[axis]!;
  }
  return field;
}

interface RefineOptions {
  readonly shape: readonly number[];
  readonly axis: number;
  /** Points along the axis afterwards. */
  readonly n: number;
  readonly cell: number;
}

/** Interpolates along one axis. */
function refine(data: Float32Array, { shape, axis, n, cell }: RefineOptions): Float32Array {
  const outer = shape.slice(0, axis).reduce((a, b) => a * b, 1);
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const coarse = shape[axis]!;
  const out = new Float32Array(outer * n * inner);
  for (let i = 0; i < n; i++) {
    const knot = Math.floor(i / cell);
    const [w0, w1, w2, w3] = splineWeights(i / cell - knot);
    for (let o = 0; o < outer; o++) {
      let from = (o * coarse + knot) * inner;
      let to = (o * n + i) * inner;
      for (let k = 0; k < inner; k++, from++, to++) {
        out[to] =
          w0 * data[from]! + w1 * data[from + inner]! + w2 * data[from + 2 * inner]! + w3 * data[from + 3 * inner]!;
      }
    }
  }
  return out;
}

/** Uniform cubic B-spline weights of four neighbouring points at t in [0, 1). */
function splineWeights(t: number): [number, number, number, number] {
  const u = 1 - t;
  return [u ** 3 / 6, (3 * t ** 3 - 6 * t ** 2 + 4) / 6, (3 * u ** 3 - 6 * u ** 2 + 4) / 6, t ** 3 / 6];
}
