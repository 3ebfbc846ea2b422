/**
 * The trainer of image-to-image translation as data.
 *
 * @module
 */
import { z } from 'zod';
import { imageLoss } from './loss-spec';
import { optionalClip, proximalMu, rateSchedule } from './network-trainer-fields';
import { optimiserSpec } from './optimiser-spec';
import { transfer } from './transfer';

const count = z.int().positive();

export const translationTrainerSpec = z
  .strictObject({
    kind: z.literal('translation'),
    epochs: count.default(4).describe("Epochs over a site's training slices in one round."),
    batchSize: count.max(4096).default(32).describe('Slices of a step; the last one of an epoch may have fewer.'),
    learningRate: z.number().positive().finite().default(1e-3),
    schedule: rateSchedule,
    optimiser: optimiserSpec
      .prefault({ kind: 'adam' })
      .describe('What it keeps, the moments of Adam above all, a site keeps from round to round.'),
    loss: imageLoss.prefault({
      kind: 'mse-dssim',
      dssim: { dataRange: 'batch', border: 'reflect', clampVariance: true },
    }),
    gradientClip: optionalClip,
    proximalMu,
    validateEpochs: z
      .boolean()
      .default(false)
      .describe(
        'Validate after each local epoch too: the mean of the losses is the metric epoch_val_loss, which cost-weighted and pid-weighted read.',
      ),
    testMetrics: z
      .boolean()
      .default(false)
      .describe('Score the received model on the test slices too: the metrics test_ssim and so on.'),
    transfer,
  })
  .describe(
    'Image-to-image translation of 2-D slices: batches of slices with their targets, and validation slice by slice.',
  );
export type TranslationTrainerSpec = z.output<typeof translationTrainerSpec>;
export type ImageLossSpec = TranslationTrainerSpec['loss'];
