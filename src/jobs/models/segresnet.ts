/**
 * Options of SegResNet, with the defaults of the BraTS 2018 job.
 *
 * @module
 */
import { z } from 'zod';
import { activationName, count, negativeSlope, normName, probability, spatialDims } from './common';

export const segResNetOptions = z
  .strictObject({
    spatialDims: spatialDims.default(3).describe('Images are 2-D or 3-D.'),
    initFilters: count
      .default(16)
      .describe(
        'Channels of the stem; each level down has twice as many. With group normalisation a multiple of numGroups.',
      ),
    inChannels: count.default(4),
    outChannels: count.default(3),
    dropoutProb: probability.default(0.2).describe('Chance that a channel of the stem is dropped in training, [0, 1).'),
    blocksDown: z.array(count).nonempty().default([1, 2, 2, 4]).describe('Residual blocks of each level, downwards.'),
    blocksUp: z.array(count).default([1, 1, 1]).describe('Residual blocks of each level, upwards: one level fewer.'),
    norm: normName.default('group'),
    numGroups: count.default(8).describe('Groups of group normalisation.'),
    act: activationName.default('relu'),
    negativeSlope: negativeSlope.default(0.01).describe('Slope of the leaky ReLU.'),
    upsampleMode: z
      .enum(['nontrainable', 'deconv', 'pixelshuffle'])
      .default('nontrainable')
      .describe('Upwards by linear interpolation, by a transposed convolution, or by a sub-pixel convolution.'),
    useConvFinal: z
      .boolean()
      .default(true)
      .describe(
        'Without it the result is the features, initFilters channels, and outChannels only shapes an unused head.',
      ),
  })
  .refine((o) => o.norm !== 'group' || o.initFilters % o.numGroups === 0, {
    error: 'must be a multiple of numGroups',
    path: ['initFilters'],
  })
  .refine((o) => o.blocksUp.length === o.blocksDown.length - 1, {
    error: 'must have one level fewer than blocksDown',
    path: ['blocksUp'],
  });

export type SegResNetOptions = z.input<typeof segResNetOptions>;
export type SegResNetSettings = z.output<typeof segResNetOptions>;
