/**
 * Metrics that a graph can compute, as data: which one, with which options. All are one row of numbers an image.
 *
 * @module
 */
import { z } from 'zod';
import { ssimFields } from './loss-spec';

/** Mean of (prediction − target)². */
const mse = z.strictObject({ kind: z.literal('mse') });
/** Mean of |prediction − target|. */
const mae = z.strictObject({ kind: z.literal('mae') });
/** Mean of (prediction − target)² over the mask; NaN when that is empty. */
const maskedMse = z.strictObject({ kind: z.literal('masked-mse') });
/** Mean of |prediction − target| / target over the mask; NaN when that is empty. */
const relativeError = z.strictObject({ kind: z.literal('relative-error') });

/** Peak signal-to-noise ratio in dB; infinite when the prediction is the target. */
const psnr = z.strictObject({
  kind: z.literal('psnr'),
  dataRange: z.number().positive().finite().default(1).describe('The largest difference that there can be.'),
});

/** Structural similarity, at most 1. The defaults are MONAI's. */
const ssim = z.strictObject({
  kind: z.literal('ssim'),
  ...ssimFields,
  dataRange: z
    .union([z.number().positive().finite(), z.enum(['batch', 'image'])])
    .default(1)
    .describe(
      'The range of the data; batch, image: the larger of the ranges of prediction and target, of all images of the batch or of each on its own.',
    ),
});

/** For each class three counts of voxels: predicted and true, predicted, true. */
const diceCounts = z.strictObject({
  kind: z.literal('dice-counts'),
  by: z
    .enum(['threshold', 'argmax'])
    .default('threshold')
    .describe('threshold: channels are regions of their own. argmax: a voxel is of the class with the largest value.'),
  threshold: z
    .number()
    .finite()
    .default(0)
    .describe('A voxel is of a region from this value on: 0 for logits (probability 0.5), 0.5 for probabilities.'),
});

export const metricSpec = z.discriminatedUnion('kind', [mse, mae, maskedMse, relativeError, psnr, ssim, diceCounts]);

/** A metric as it is asked for, defaults left out. */
export type MetricOptions = z.input<typeof metricSpec>;
/** A checked metric, all defaults filled in. */
export type MetricSettings = z.output<typeof metricSpec>;
export type MetricKind = MetricSettings['kind'];
export type MetricSettingsOf<K extends MetricKind> = Omit<Extract<MetricSettings, { readonly kind: K }>, 'kind'>;
