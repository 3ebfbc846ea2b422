/**
 * Enlarges small grey pictures smoothly, so that browsers do not have to.
 *
 * @module
 */
import type { Plane } from './slice';

/** Catmull-Rom weights of the four neighbours at a distance t in [0, 1) from the second of them. */
function weights(t: number): readonly [number, number, number, number] {
  return [
    ((-t + 2) * t - 1) * t * 0.5,
    ((3 * t - 5) * t * t + 2) * 0.5,
    ((-3 * t + 4) * t + 1) * t * 0.5,
    (t - 1) * t * t * 0.5,
  ];
}

/** The picture `factor` times as wide and high, by bicubic interpolation; edges are continued outwards. */
export function enlarge(plane: Plane<Uint8Array>, factor: number): Plane<Uint8Array> {
  const rows = enlargeRows(Float32Array.from(plane.data), plane.width, plane.height, factor);
  const columns = transpose(rows, plane.width * factor, plane.height);
  const both = enlargeRows(columns, plane.height, plane.width * factor, factor);
  const values = transpose(both, plane.height * factor, plane.width * factor);
  const data = Uint8Array.from(values, (value) => Math.round(Math.min(255, Math.max(0, value))));
  return { width: plane.width * factor, height: plane.height * factor, data };
}

function enlargeRows(data: Float32Array, width: number, height: number, factor: number): Float32Array {
  const out = new Float32Array(width * factor * height);
  for (let column = 0; column < width * factor; column++) {
    // Centres of pixels lie at halves in both pictures.
    const position = (column + 0.5) / factor - 0.5;
    const first = Math.floor(position) - 1;
    const taps = weights(position - Math.floor(position)).map((weight, i) => ({
      weight,
      at: Math.min(width - 1, Math.max(0, first + i)),
    }));
    for (let row = 0; row < height; row++) {
      let sum = 0;
      for (const { weight, at } of taps) sum += weight * data[row * width + at]!;
      out[row * width * factor + column] = sum;
    }
  }
  return out;
}

function transpose(data: Float32Array, width: number, height: number): Float32Array {
  return Float32Array.from(data, (_, i) => data[(i % height) * width + Math.floor(i / height)]!);
}
