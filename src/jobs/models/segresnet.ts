/**
 * Options of SegResNet, with the defaults of the BraTS 2018 job.
 *
 * @module
 */
import { z } from 'zod';
import { activationName, count, negativeSlope, normName, probability, spatialDims } from './common';

export const segResNetOptions = z
  .strictObject({
    /** Images are 2-D or 3-D. */
    spatialDims: spatialDims.default(3),
    /** Channels of the stem; each level down has twice as many. With group normalisation a multiple of `numGroups`. */
    initFilters: count.default(16),
    inChannels: count.default(4),
    outChannels: count.default(3),
    /** Chance that a channel of the stem is dropped in training, [0, 1). */
    dropoutProb: probability.default(0.2),
    /** Residual blocks of each level, downwards. */
    blocksDown: z.array(count).nonempty().default([1, 2, 2, 4]),
    /** Residual blocks of each level, upwards: one level fewer. */
    blocksUp: z.array(count).default([1, 1, 1]),
    norm: normName.default('group'),
    /** Groups of group normalisation. */
    numGroups: count.default(8),
    act: activationName.default('relu'),
    /** Slope of the leaky ReLU. */
    negativeSlope: negativeSlope.default(0.01),
    /** Upwards by linear interpolation, or by a transposed convolution. */
    upsampleMode: z.enum(['nontrainable', 'deconv']).default('nontrainable'),
    /** Without it the result is the features, `initFilters` channels, and `outChannels` only shapes an unused head. */
    useConvFinal: z.boolean().default(true),
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
