/**
 * How well one predicted slice matches its target: the numbers of the MRI translation job, in float64.
 *
 * @module
 */
import type { ImageLossSpec } from '../../jobs/translation-trainer-spec';
import {
  type ImageShape,
  type SimilaritySettings,
  structuralSimilarity,
  torchmetricsSsim,
} from './structural-similarity';

/** In the order of tables. NaN where a number is not defined: a mean over an empty mask, say. */
export const sliceScoreNames = ['loss', 'mse', 'masked_mse', 'relative_error', 'ssim', 'psnr', 'zoomed_ssim'] as const;
export type SliceScoreName = (typeof sliceScoreNames)[number];
export type SliceScores = Readonly<Record<SliceScoreName, number>>;

export interface ComparedSlice {
  /** [C, H, W], as are source and target. */
  readonly prediction: Float32Array;
  readonly target: Float32Array;
  /** [1, H, W]: 1 where the tumour is. */
  readonly mask?: Float32Array | undefined;
  readonly shape: ImageShape;
}

/** A tumour of fewer pixels is not looked at closely. */
const leastTumour = 10;
/** Pixels around a tumour's bounding box. */
const margin = 5;

/**
 * All scores of a slice. `loss` is what training would call the loss of a batch of this slice alone; `masked_mse` and
 * `relative_error` are means over the pixels where the target is above 0; `psnr` is of the range 1 and in dB, infinite where
 * the prediction is the target; `zoomed_ssim` is that of the tumour's bounding box and 5 pixels around it, of the range 1.
 *
 * @throws ShapeError when an image is too small for the windows of SSIM
 */
export function sliceScores(slice: ComparedSlice, loss: ImageLossSpec): SliceScores {
  const { prediction, target, shape } = slice;
  const mse = meanOver(target, (i) => (prediction[i]! - target[i]!) ** 2);
  const inside = (i: number) => target[i]! > 0;
  return {
    loss: lossOfSlice(slice, loss),
    mse,
    masked_mse: meanOver(target, (i) => (prediction[i]! - target[i]!) ** 2, inside),
    relative_error: meanOver(target, (i) => Math.abs(prediction[i]! - target[i]!) / target[i]!, inside),
    ssim: structuralSimilarity(prediction, target, shape),
    psnr: -10 * Math.log10(mse),
    zoomed_ssim: zoomedSimilarity(slice),
  };
}

function lossOfSlice({ prediction, target, shape }: ComparedSlice, loss: ImageLossSpec): number {
  const mse = () => meanOver(target, (i) => (prediction[i]! - target[i]!) ** 2);
  const ssim = ({ dataRange, ...settings }: WithRange) =>
    structuralSimilarity(prediction, target, shape, {
      ...settings,
      dataRange: dataRange === 'batch' ? 'image' : dataRange,
    });
  switch (loss.kind) {
    case 'mse':
      return mse();
    case 'l1':
      return meanOver(target, (i) => Math.abs(prediction[i]! - target[i]!));
    case 'ssim':
      return 1 - ssim(loss);
    case 'dssim':
      return (1 - ssim(loss)) / 2;
    case 'mse-dssim':
      return loss.lambdaMse * mse() + (loss.lambdaDssim * (1 - ssim(loss.dssim))) / 2;
    case 'rmse-dssim':
      return loss.lambdaRmse * Math.sqrt(mse()) + (loss.lambdaDssim * (1 - ssim(loss.dssim))) / 2;
  }
}

type WithRange = Omit<SimilaritySettings, 'dataRange'> & { readonly dataRange: number | 'batch' };

/** NaN without a mask, or with one of fewer than 10 pixels. */
function zoomedSimilarity({ prediction, target, mask, shape: [channels, height, width] }: ComparedSlice): number {
  const box = mask && boundingBox(mask, width);
  if (!box || box.pixels < leastTumour) return Number.NaN;
  const top = Math.max(box.top - margin, 0);
  const left = Math.max(box.left - margin, 0);
  const rows = Math.min(box.bottom + margin, height - 1) - top + 1;
  const columns = Math.min(box.right + margin, width - 1) - left + 1;
  const crop = (image: Float32Array): Float32Array => {
    const cut = new Float32Array(channels * rows * columns);
    for (let line = 0; line < channels * rows; line++) {
      const [channel, row] = [Math.floor(line / rows), line % rows];
      const from = (channel * height + top + row) * width + left;
      cut.set(image.subarray(from, from + columns), line * columns);
    }
    return cut;
  };
  const settings = { ...torchmetricsSsim, dataRange: 1 };
  return structuralSimilarity(crop(prediction), crop(target), [channels, rows, columns], settings);
}

function boundingBox(mask: Float32Array, width: number) {
  const box = { pixels: 0, top: Number.POSITIVE_INFINITY, bottom: -1, left: Number.POSITIVE_INFINITY, right: -1 };
  for (const [i, value] of mask.entries()) {
    if (!(value > 0)) continue;
    const [row, column] = [Math.floor(i / width), i % width];
    box.pixels++;
    box.top = Math.min(box.top, row);
    box.bottom = Math.max(box.bottom, row);
    box.left = Math.min(box.left, column);
    box.right = Math.max(box.right, column);
  }
  return box;
}

/** The mean of a value over the pixels that count; NaN when none does. */
function meanOver(
  image: Float32Array,
  value: (i: number) => number,
  counts: (i: number) => boolean = () => true,
): number {
  let [sum, count] = [0, 0];
  for (let i = 0; i < image.length; i++) {
    if (!counts(i)) continue;
    sum += value(i);
    count++;
  }
  return sum / count;
}
