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
  const { w, ins, outs, samples, xSpatial, ySpatial, kernel } = factors;
  const [depth, height] = xSpatial;
  const width = ySpatial[2];
  const rowTaps = kernel[0] * kernel[1];
  const bytesPerPlane = 4 * outs * rowTaps * samples * height * width;
  const products = slabs(depth, Math.floor(SLAB_BYTES / bytesPerPlane), 1).map(([from, to]) => {
    const length = samples * (to - from) * height * width;
    return {
      a: w.reshape(gatheredRows(factors, from, to), [outs * rowTaps, length]),
      b: w.reshape(shiftedInput(factors, from, to), [kernel[2] * ins, length]),
      terms: length,
    };
  });
  const size = { m: outs * rowTaps, n: kernel[2] * ins };
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

/** For each pair of taps along the first two axes, the rows of dy that meet the rows of x in the slab. */
function gatheredRows(factors: VolumeFactors, from: number, to: number): string {
  const { w, dy, outs, samples, ySpatial, padding, kernel } = factors;
  const [depth, height, width] = ySpatial;
  const [first, end] = [from + padding[0] - (kernel[0] - 1), to + padding[0]];
  // Planes of zeros where there are none, and a row of zeros after each plane, for what lies outside of it.
  const part = w.node('Pad', [dy, w.ints([0, 0, -first, 0, 0, 0, 0, end - depth, 1, 0])]);
  const table = w.reshape(part, [outs, samples * (end - first) * (height + 1), width]);
  return w.node('Gather', [table, w.places(rowsThatMeet(factors, to - from))], { axis: 1 });
}

/** The places of those rows, for a slab of `planes` planes. */
function rowsThatMeet({ samples, xSpatial, ySpatial, padding, kernel }: VolumeFactors, planes: number): number[] {
  const height = ySpatial[1];
  const rows: number[] = [];
  for (let taps = 0; taps < kernel[0] * kernel[1]; taps++) {
    const [first, second] = [Math.floor(taps / kernel[1]), taps % kernel[1]];
    for (let sample = 0; sample < samples; sample++) {
      for (let z = 0; z < planes; z++) {
        const plane = sample * (planes + kernel[0] - 1) + z + kernel[0] - 1 - first;
        for (let y = 0; y < xSpatial[1]; y++) {
          const h = y + padding[1] - second;
          rows.push(plane * (height + 1) + (h >= 0 && h < height ? h : height));
        }
      }
    }
  }
  return rows;
}
