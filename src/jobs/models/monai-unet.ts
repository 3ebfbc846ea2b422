/**
 * Options of MONAI's UNet, with MONAI's defaults where it has any.
 *
 * @module
 */
import { z } from 'zod';
import {
  activationName,
  count,
  negativeSlope,
  oddPerAxisOption,
  oneToThreeDims,
  perAxisOption,
  probability,
} from './common';

export const monaiUNetOptions = z
  .strictObject({
    spatialDims: oneToThreeDims.default(3),
    inChannels: count.default(1),
    outChannels: count.default(2),
    channels: z
      .array(count)
      .min(2)
      .default([16, 32, 64, 128, 256])
      .describe('Of each level, from the top down to the bottom.'),
    strides: z
      .array(perAxisOption)
      .min(1)
      .default([2, 2, 2, 2])
      .describe('Of each level but the bottom: one fewer than channels.'),
    kernelSize: oddPerAxisOption.default(3),
    upKernelSize: oddPerAxisOption.default(3),
    numResUnits: z.int().min(0).default(0).describe('Convolutions of a residual unit; 0 for plain convolutions.'),
    norm: z.enum(['batch', 'instance', 'instance-affine']).default('instance'),
    act: activationName.default('prelu'),
    negativeSlope: negativeSlope.default(0.01).describe('Slope of the leaky ReLU.'),
    dropout: probability.default(0).describe('Chance that an element is dropped in training, [0, 1).'),
    bias: z.boolean().default(true),
    adnOrdering: z
      .enum(['NDA', 'NAD', 'DNA', 'DAN', 'AND', 'ADN'])
      .default('NDA')
      .describe('Order of normalisation (N), dropout (D) and activation (A).'),
  })
  .refine((o) => o.strides.length === o.channels.length - 1, {
    error: 'must be one fewer than channels',
    path: ['strides'],
  })
  .refine((o) => [o.kernelSize, o.upKernelSize, ...o.strides].every((n) => fits(n, o.spatialDims)), {
    error: 'kernels and strides must have one number per spatial axis',
    path: ['spatialDims'],
  });

function fits(value: number | readonly number[], dims: number): boolean {
  return typeof value === 'number' || value.length === dims;
}

export type MonaiUNetOptions = z.input<typeof monaiUNetOptions>;
export type MonaiUNetSettings = z.output<typeof monaiUNetOptions>;
