/**
 * Sliding-window inference: a volume is predicted window by window and overlapping predictions are blended.
 *
 * @module
 */
import { ConfigError, ShapeError } from '../errors';
import { cutBlock, placeBlock } from './transforms/block';
import { type Size3, spatialSize, type VolumeShape, voxelsOf } from './volume';

/** `constant`: all predictions of a voxel count the same. `gaussian`: those from the middle of a window count more. */
export type BlendMode = 'constant' | 'gaussian';

export interface SlidingWindowOptions {
  /** Extents of a window; an extent of 0 or less means that of the image. */
  readonly roi: Size3;
  /** Share of a window that it has in common with the next, in [0, 1). @default 0.5 */
  readonly overlap?: number;
  /** @default 'constant' */
  readonly mode?: BlendMode;
}

/** A channel-first array of a volume. */
export interface ChannelArray {
  readonly data: Float32Array;
  readonly shape: VolumeShape;
}

/** Predicts one window [C, ...roi]: the result has any number of channels at the same extents. */
export type Predict = (window: Float32Array, shape: VolumeShape) => Promise<Float32Array>;

/** Standard deviation of the gaussian weights, as a share of the window's extent. */
const SIGMA_SCALE = 0.125;

/** The least weight, so that no voxel is divided by (almost) nothing. */
const LEAST_WEIGHT = 1e-3;

/**
 * Predicts each window, blends (logits, not probabilities) and divides by the summed weights. An image smaller than the
 * window is padded with zeros around, and the padding cut away again.
 *
 * @returns [channels of the prediction, ...extents of the image], C order.
 * @throws ConfigError for an overlap outside [0, 1); ShapeError when a prediction does not fit the window.
 */
export async function slidingWindow(
  { data, shape }: ChannelArray,
  { roi, overlap = 0.5, mode = 'constant' }: SlidingWindowOptions,
  predict: Predict,
): Promise<ChannelArray> {
  const [channels] = shape;
  const size = spatialSize(shape);
  const window = map3((axis) => (roi[axis]! > 0 ? roi[axis]! : size[axis]!));
  const padded = map3((axis) => Math.max(window[axis]!, size[axis]!));
  const low = map3((axis) => Math.floor((padded[axis]! - size[axis]!) / 2));
  const source = sameSize(padded, size) ? data : placeBlock(data, { channels, size, into: padded, at: low });

  const weights = mode === 'gaussian' ? gaussianWeights(window) : undefined;
  const total = new Float32Array(voxelsOf(padded));
  let sum: Float32Array | undefined;
  for (const start of windowStarts(padded, window, overlap)) {
    const input = cutBlock(source, { channels, from: padded, start, size: window });
    const predicted = await predict(input, [channels, ...window]);
    const outChannels = channelsOf(predicted, window);
    sum ??= new Float32Array(outChannels * voxelsOf(padded));
    addWindow({ sum, total, predicted, weights }, { padded, start, window });
  }
  const blended = divide(sum!, total);
  const outChannels = blended.length / total.length;
  const cropped = sameSize(padded, size)
    ? blended
    : cutBlock(blended, { channels: outChannels, from: padded, start: low, size });
  return { data: cropped, shape: [outChannels, ...size] };
}

/**
 * Where the windows start, last axis fastest. Windows are `max(1, floor(roi · (1 − overlap)))` apart and the last one of each
 * axis is pulled back to end with the image.
 *
 * @param size extents of the image, each at least that of the window.
 */
export function windowStarts(size: Size3, window: Size3, overlap: number): Size3[] {
  if (!(overlap >= 0 && overlap < 1)) {
    throw new ConfigError(`The overlap of sliding windows is ${overlap}, expected at least 0 and less than 1.`);
  }
  const [xs, ys, zs] = map3((axis) => axisStarts(size[axis]!, window[axis]!, overlap));
  return xs.flatMap((x) => ys.flatMap((y) => zs.map((z): Size3 => [x, y, z])));
}

function axisStarts(n: number, window: number, overlap: number): number[] {
  const interval = window === n ? window : Math.max(1, Math.floor(window * (1 - overlap)));
  const count = Math.ceil((n - window) / interval) + 1;
  return Array.from({ length: count }, (_, i) => Math.min(i * interval, n - window));
}

/** Unnormalised gaussian weights of a window, C order, in float32, at least 0.001. */
export function gaussianWeights(window: Size3): Float32Array {
  const [wx, wy, wz] = map3((axis) => gaussian(window[axis]!));
  const weights = new Float32Array(voxelsOf(window));
  let at = 0;
  for (const x of wx) for (const y of wy) for (const z of wz) weights[at++] = x * y * z;
  const least = Math.max(
    weights.reduce((a, b) => Math.min(a, b), 1),
    Math.fround(LEAST_WEIGHT),
  );
  return weights.map((weight) => Math.max(weight, least));
}

function gaussian(n: number): number[] {
  const sigma = SIGMA_SCALE * n;
  return Array.from({ length: n }, (_, i) => Math.exp(-((i - (n - 1) / 2) ** 2) / (2 * sigma * sigma)));
}

interface Blend {
  readonly sum: Float32Array;
  readonly total: Float32Array;
  readonly predicted: Float32Array;
  /** Undefined: all 1. */
  readonly weights: Float32Array | undefined;
}

interface Placement {
  readonly padded: Size3;
  readonly start: Size3;
  readonly window: Size3;
}

function addWindow({ sum, total, predicted, weights }: Blend, { padded, start, window }: Placement): void {
  const voxels = voxelsOf(window);
  const channels = predicted.length / voxels;
  for (let x = 0; x < window[0]; x++) {
    for (let y = 0; y < window[1]; y++) {
      const from = (x * window[1] + y) * window[2];
      const to = ((start[0] + x) * padded[1] + start[1] + y) * padded[2] + start[2];
      for (let z = 0; z < window[2]; z++) {
        const weight = weights === undefined ? 1 : weights[from + z]!;
        total[to + z] = total[to + z]! + weight;
        for (let c = 0; c < channels; c++) {
          const at = c * total.length + to + z;
          sum[at] = sum[at]! + predicted[c * voxels + from + z]! * weight;
        }
      }
    }
  }
}

function divide(sum: Float32Array, total: Float32Array): Float32Array {
  for (let at = 0; at < sum.length; at += total.length) {
    for (let i = 0; i < total.length; i++) sum[at + i] = sum[at + i]! / total[i]!;
  }
  return sum;
}

function channelsOf(predicted: Float32Array, window: Size3): number {
  const channels = predicted.length / voxelsOf(window);
  if (Number.isInteger(channels) && channels > 0) return channels;
  throw new ShapeError(
    `The prediction of a ${window.join('×')} window has ${predicted.length} numbers, expected a multiple of ${voxelsOf(window)}.`,
  );
}

function map3<T>(f: (axis: number) => T): [T, T, T] {
  return [f(0), f(1), f(2)];
}

function sameSize(a: Size3, b: Size3): boolean {
  return a.every((n, axis) => n === b[axis]);
}
