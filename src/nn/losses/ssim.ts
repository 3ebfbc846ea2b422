/**
 * Structural similarity (Wang et al. 2004, doi 10.1109/TIP.2003.819861) of 2-D and 3-D images.
 *
 * @module
 */
import { ShapeError } from '../../errors';
import type { Builder } from '../../graph/builder';
import { clip, concat, maximum, padSpatial, reduceMax, reduceMin, split } from '../../graph/functions';
import type { Value } from '../../graph/graph';
import type { LossSettingsOf } from '../../jobs/loss-spec';
import { reduceAll, requireSameShape } from './labels';

type SsimSettings = LossSettingsOf<'ssim'>;

/** As a metric, SSIM may also take the range of each image on its own. */
type SsimMapSettings = Omit<SsimSettings, 'dataRange'> & {
  readonly dataRange: SsimSettings['dataRange'] | 'image';
};

/**
 * The mean of SSIM over samples, channels and windows, a scalar: in each window
 * (2μₓμᵧ + c₁)(2σₓᵧ + c₂) / ((μₓ² + μᵧ² + c₁)(σₓ² + σᵧ² + c₂)), c₁ = (k₁·range)², c₂ = (k₂·range)².
 *
 * MONAI's is the default. That of torchmetrics clamps variances (`clampVariance`), takes the range of the batch unless one is
 * given (`dataRange: 'batch'`), and, by version, mirrors borders (`border: 'reflect'`) or also cuts them off again, which is
 * the same as windows inside the image only (`border: 'valid'`).
 *
 * @param label of the prediction's shape `[N, C, ...spatial]`
 * @throws ShapeError when shapes differ or an axis is shorter than the window
 */
export function ssim(b: Builder, prediction: Value, label: Value, settings: SsimSettings): Value {
  requireSameShape('ssim', prediction, label);
  return reduceAll(b, ssimMap(b, prediction, label, settings), 'mean');
}

/**
 * SSIM in each window, `[N·C, 1, ...windows]`, of images of one shape.
 *
 * @throws ShapeError when an axis is shorter than the window
 */
export function ssimMap(b: Builder, prediction: Value, label: Value, settings: SsimMapSettings): Value {
  const { k1, k2, clampVariance } = settings;
  const range = dataRange(b, prediction, label, settings.dataRange);
  const [c1, c2] = [k1, k2].map((k) => square(b, b.scale(range, k)));
  const [x, y] = [prediction, label].map((image) => singleChannel(b, image, settings));
  const fields = [x!, y!, b.mul(x!, x!), b.mul(y!, y!), b.mul(x!, y!)];
  const means = windowMeans(b, concat(b, fields, 0), settings);
  const [meanX, meanY, meanXX, meanYY, meanXY] = split(
    b,
    means,
    fields.map(({ shape }) => shape[0]!),
    0,
  );
  const [xx, yy, xy] = [b.mul(meanX!, meanX!), b.mul(meanY!, meanY!), b.mul(meanX!, meanY!)];
  const variance = (mean: Value, squared: Value): Value => {
    const difference = b.sub(mean, squared);
    return clampVariance ? clip(b, difference, { min: 0 }) : difference;
  };
  const spread = b.add(variance(meanXX!, xx), variance(meanYY!, yy));
  const luminance = b.div(b.add(b.scale(xy, 2), c1!), b.add(b.add(xx, yy), c1!));
  const contrast = b.div(b.add(b.scale(b.sub(meanXY!, xy), 2), c2!), b.add(spread, c2!));
  return b.mul(luminance, contrast);
}

/** 1 − SSIM. */
export function ssimLoss(b: Builder, prediction: Value, label: Value, settings: SsimSettings): Value {
  return b.sub(b.scalar(1), ssim(b, prediction, label, settings));
}

/** (1 − SSIM)/2. */
export function dssimLoss(b: Builder, prediction: Value, label: Value, settings: SsimSettings): Value {
  return b.scale(ssimLoss(b, prediction, label, settings), 0.5);
}

function square(b: Builder, x: Value): Value {
  return b.mul(x, x);
}

/** One range, or one for each channel of each image `[N·C, 1, 1, …]`; a constant for the derivative, as in torchmetrics. */
function dataRange(b: Builder, prediction: Value, label: Value, range: SsimMapSettings['dataRange']): Value {
  if (typeof range === 'number') return b.scalar(range);
  const [samples, channels, ...spatial] = prediction.shape;
  const axes = prediction.shape.map((_, i) => i).slice(range === 'batch' ? 0 : 1);
  const [x, y] = [prediction, label].map((image) => {
    const constant = b.detach(image);
    return b.sub(reduceMax(b, constant, axes), reduceMin(b, constant, axes));
  });
  const larger = maximum(b, x!, y!);
  if (range === 'batch') return b.reshape(larger, []);
  const ones = spatial.map(() => 1);
  return b.reshape(b.expand(larger, [samples!, channels!, ...ones]), [samples! * channels!, 1, ...ones]);
}

/** Channels as samples, mirrored at the borders when asked for. */
function singleChannel(b: Builder, image: Value, { border, windowSize }: SsimMapSettings): Value {
  const [samples, channels, ...spatial] = image.shape;
  if (spatial.some((n) => n < windowSize)) {
    throw new ShapeError(`SSIM needs images of at least ${windowSize} voxels along each axis, not [${image.shape}].`, {
      hint: 'Choose a smaller window or larger images.',
    });
  }
  const flat = b.reshape(image, [samples! * channels!, 1, ...spatial]);
  const margin = spatial.map(() => (windowSize - 1) / 2);
  return border === 'reflect' ? padSpatial(b, flat, 'reflect', margin) : flat;
}

/** Weighted means of all windows inside `[N, 1, ...spatial]`: the window is a product, so one axis after the other. */
function windowMeans(b: Builder, x: Value, { kernel, windowSize, sigma }: SsimMapSettings): Value {
  const centre = (windowSize - 1) / 2;
  const heights = Array.from({ length: windowSize }, (_, i) =>
    kernel === 'uniform' ? 1 : Math.exp(-(((i - centre) / sigma) ** 2) / 2),
  );
  const total = heights.reduce((sum, height) => sum + height, 0);
  const values = heights.map((height) => height / total);
  const axes = x.shape.slice(2).map((_, i) => i);
  return axes.reduce((result, axis) => {
    const shape = [1, 1, ...axes.map((i) => (i === axis ? windowSize : 1))];
    const weight = b.emit('Constant', [], { shape, values });
    return b.conv(result, weight, { stride: axes.map(() => 1), padding: axes.map(() => 0) });
  }, x);
}
