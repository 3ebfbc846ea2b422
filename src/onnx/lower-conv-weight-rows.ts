/**
 * The weight gradient of a convolution with stride 1 over long rows. Shifts along the rows are made on the input, those
 * along the other axes on the output gradient, where they move whole rows: one Gather does them all at once, on all
 * threads, in the layout that the matrix product needs. So 9 + 3 copies do the work of 27.
 *
 * @module
 */
import type { Shape } from '../tensor/tensor';
import { SLAB_BYTES, slabs, sumOfProducts } from './sum-of-products';
import type { OnnxWriter } from './writer';

type Triple = readonly [depth: number, height: number, width: number];

export interface VolumeFactors {
  readonly w: OnnxWriter;
  /** `[I, N, ...xSpatial]` and `[O, N, ...ySpatial]`. */
  readonly x: string;
  readonly dy: string;
  readonly ins: number;
  readonly outs: number;
  readonly samples: number;
  readonly xSpatial: Triple;
  readonly ySpatial: Triple;
  readonly padding: Triple;
  readonly kernel: Triple;
  /** Of the result. */
  readonly weightShape: Shape;
}

export function weightGradByRows(factors: VolumeFactors): string {
  const { w, dy, ins, outs, samples, xSpatial, ySpatial, kernel } = factors;
  const [depth, height] = xSpatial;
  const width = ySpatial[2];
  const rowTaps = kernel[0] * kernel[1];
  const gradientRows = samples * ySpatial[0] * ySpatial[1];
  // A row of zeros at the end, for what lies outside.
  const table = w.node('Pad', [w.reshape(dy, [outs, gradientRows, width]), w.ints([0, 0, 0, 0, 1, 0])]);
  const bytesPerPlane = 4 * outs * rowTaps * samples * height * width;
  const products = slabs(depth, Math.floor(SLAB_BYTES / bytesPerPlane), 1).map(([from, to]) => {
    const length = samples * (to - from) * height * width;
    const gathered = w.node('Gather', [table, w.places(rowsThatMeet(factors, from, to))], { axis: 1 });
    return {
      a: w.reshape(gathered, [outs * rowTaps, length]),
      b: w.reshape(shiftedInput(factors, from, to), [kernel[2] * ins, length]),
    };
  });
  const size = { m: outs * rowTaps, n: kernel[2] * ins, terms: samples * depth * height * width };
  const product = w.reshape(sumOfProducts(w, products, size), [outs, rowTaps, kernel[2], ins]);
  return w.reshape(w.transpose(product, [0, 3, 1, 2]), factors.weightShape);
}

/** The slab of x for each tap along the rows, one after the other along the channels. */
function shiftedInput({ w, x, xSpatial, ySpatial, padding, kernel }: VolumeFactors, from: number, to: number): string {
  const shifted = Array.from({ length: kernel[2] }, (_, tap) => {
    const begin = padding[2] - tap;
    const end = ySpatial[2] - xSpatial[2] - begin;
    return w.node('Pad', [x, w.ints([0, 0, -from, 0, begin, 0, 0, to - xSpatial[0], 0, end])]);
  });
  return shifted.length === 1 ? shifted[0]! : w.node('Concat', shifted, { axis: 0 });
}

/** For each pair of taps along the first two axes and each row of x in the slab, the row of dy that meets it. */
function rowsThatMeet({ samples, xSpatial, ySpatial, padding, kernel }: VolumeFactors, from: number, to: number) {
  const [depth, height] = ySpatial;
  const rows: number[] = [];
  for (let taps = 0; taps < kernel[0] * kernel[1]; taps++) {
    const [first, second] = [Math.floor(taps / kernel[1]), taps % kernel[1]];
    for (let sample = 0; sample < samples; sample++) {
      for (let z = from; z < to; z++) {
        for (let y = 0; y < xSpatial[1]; y++) {
          const [d, h] = [z + padding[0] - first, y + padding[1] - second];
          const inside = d >= 0 && d < depth && h >= 0 && h < height;
          rows.push(inside ? (sample * depth + d) * height + h : samples * depth * height);
        }
      }
    }
  }
  return rows;
}
