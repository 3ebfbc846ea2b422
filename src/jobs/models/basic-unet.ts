/**
 * Options of MONAI's BasicUNet, with MONAI's defaults.
 *
 * @module
 */
import { z } from 'zod';
import { activationName, count, negativeSlope, normName, oneToThreeDims, probability } from './common';

export const basicUNetOptions = z
  .strictObject({
    spatialDims: oneToThreeDims.default(3),
    inChannels: count.default(1),
    outChannels: count.default(2),
    features: z
      .array(count)
      .length(6)
      .default([32, 32, 64, 128, 256, 32])
      .describe('Of the five levels, then of the result before the last convolution.'),
    norm: normName.default('instance-affine'),
    numGroups: count.default(4).describe('Groups of group normalisation.'),
    act: activationName.default('leaky-relu'),
    negativeSlope: negativeSlope.default(0.1).describe('Slope of the leaky ReLU.'),
    bias: z.boolean().default(true),
    dropout: probability.default(0).describe('Chance that an element is dropped in training, [0, 1).'),
    upsample: z
      .enum(['deconv', 'nontrainable', 'pixelshuffle'])
      .default('deconv')
      .describe(
        'Upwards by a transposed convolution, by linear interpolation that aligns corners, or by a sub-pixel convolution.',
      ),
  })
  .refine((o) => o.norm !== 'group' || o.features.every((n) => n % o.numGroups === 0), {
    error: 'must be multiples of numGroups',
    path: ['features'],
  })
  .refine((o) => o.features.slice(2, 5).every((n) => n % 2 === 0), {
    error: 'the third, fourth and fifth must be even: they are halved on the way up',
    path: ['features'],
  });

export type BasicUNetOptions = z.input<typeof basicUNetOptions>;
export type BasicUNetSettings = z.output<typeof basicUNetOptions>;
