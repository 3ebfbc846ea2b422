/**
 * Structural similarity (Wang et al. 2004, doi 10.1109/TIP.2003.819861) of two images that are at hand, in float64. The one
 * that a graph computes is in `losses/ssim`; this one also takes images of any size, such as the region around a tumour.
 *
 * @module
 */
import { ShapeError } from '../../errors';
import type { MetricSettingsOf } from '../../jobs/metric-spec';

export interface SimilaritySettings extends Omit<MetricSettingsOf<'ssim'>, 'dataRange'> {
  /** The range of the data; `image`: the larger of the ranges of both images. */
  readonly dataRange: number | 'image';
}

/** C, H, W. */
export type ImageShape = readonly [number, number, number];

/** As torchmetrics computes it of a single image: mirrored borders, the range of the images themselves. */
export const torchmetricsSsim: SimilaritySettings = {
  kernel: 'gaussian',
  windowSize: 11,
  sigma: 1.5,
  k1: 0.01,
  k2: 0.03,
  dataRange: 'image',
  border: 'reflect',
  clampVariance: true,
};

/**
 * The mean SSIM over channels and windows; NaN where both images are constant and the range is theirs.
 *
 * @param x one image and `y` the other, `[C, H, W]` in C order
 * @throws ShapeError when an axis is too short for the window
 */
export function structuralSimilarity(
  x: Float32Array,
  y: Float32Array,
  shape: ImageShape,
  settings: SimilaritySettings = torchmetricsSsim,
): number {
  const [channels, height, width] = shape;
  const range = settings.dataRange === 'image' ? Math.max(rangeOf(x), rangeOf(y)) : settings.dataRange;
  const windows = [height, width].map((length) => windowsOf(length, settings)) as [Windows, Windows];
  let sum = 0;
  let count = 0;
  for (let channel = 0; channel < channels; channel++) {
    const [from, to] = [channel * height * width, (channel + 1) * height * width];
    const map = similarityMap(x.subarray(from, to), y.subarray(from, to), { windows, range, settings });
    for (const value of map) sum += value;
    count += map.length;
  }
  return sum / count;
}

interface MapOptions {
  readonly windows: readonly [Windows, Windows];
  readonly range: number;
  readonly settings: SimilaritySettings;
}

/** SSIM in each window of one channel. */
function similarityMap(x: Float32Array, y: Float32Array, { windows, range, settings }: MapOptions): Float64Array {
  const mean = (value: (i: number) => number) =>
    windowMeans(
      Float64Array.from(x, (_, i) => value(i)),
      windows,
    );
  const meanX = mean((i) => x[i]!);
  const meanY = mean((i) => y[i]!);
  const meanXX = mean((i) => x[i]! * x[i]!);
  const meanYY = mean((i) => y[i]! * y[i]!);
  const meanXY = mean((i) => x[i]! * y[i]!);
  const [c1, c2] = [(settings.k1 * range) ** 2, (settings.k2 * range) ** 2];
  const variance = (value: number) => (settings.clampVariance ? Math.max(value, 0) : value);
  return meanX.map((mx, i) => {
    const my = meanY[i]!;
    const spread = variance(meanXX[i]! - mx * mx) + variance(meanYY[i]! - my * my);
    const luminance = (2 * mx * my + c1) / (mx * mx + my * my + c1);
    return (luminance * (2 * (meanXY[i]! - mx * my) + c2)) / (spread + c2);
  });
}

/** The windows along one axis. */
interface Windows {
  /** Length of the axis. */
  readonly length: number;
  /** How many there are. */
  readonly count: number;
  readonly weights: readonly number[];
  /** Place on the axis of the `t`-th voxel of window `i`, at `i * weights.length + t`. */
  readonly places: Int32Array;
}

function windowsOf(length: number, { kernel, windowSize, sigma, border }: SimilaritySettings): Windows {
  const margin = (windowSize - 1) / 2;
  const least = border === 'reflect' ? margin + 1 : windowSize;
  if (length < least) {
    throw new ShapeError(`SSIM with windows of ${windowSize} needs images of at least ${least} voxels, not ${length}.`);
  }
  const heights = Array.from({ length: windowSize }, (_, i) =>
    kernel === 'uniform' ? 1 : Math.exp(-(((i - margin) / sigma) ** 2) / 2),
  );
  const total = heights.reduce((sum, height) => sum + height, 0);
  const count = border === 'reflect' ? length : length - windowSize + 1;
  const first = border === 'reflect' ? -margin : 0;
  const places = Int32Array.from({ length: count * windowSize }, (_, k) =>
    mirrored(first + Math.floor(k / windowSize) + (k % windowSize), length),
  );
  return { length, count, weights: heights.map((height) => height / total), places };
}

/** The border itself is not repeated, as in PyTorch's `reflect`. */
function mirrored(place: number, length: number): number {
  if (place < 0) return -place;
  return place < length ? place : 2 * (length - 1) - place;
}

/** The window is a product, so one axis after the other. */
function windowMeans(image: Float64Array, [rows, columns]: readonly [Windows, Windows]): Float64Array {
  const size = columns.weights.length;
  const across = new Float64Array(rows.length * columns.count);
  for (let row = 0; row < rows.length; row++) {
    for (let i = 0; i < columns.count; i++) {
      let sum = 0;
      for (let t = 0; t < size; t++) {
        sum += columns.weights[t]! * image[row * columns.length + columns.places[i * size + t]!]!;
      }
      across[row * columns.count + i] = sum;
    }
  }
  const means = new Float64Array(rows.count * columns.count);
  for (let i = 0; i < rows.count; i++) {
    for (let t = 0; t < size; t++) {
      const weight = rows.weights[t]!;
      const from = rows.places[i * size + t]! * columns.count;
      for (let column = 0; column < columns.count; column++) {
        means[i * columns.count + column]! += weight * across[from + column]!;
      }
    }
  }
  return means;
}

function rangeOf(values: Float32Array): number {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return most - least;
}
