/**
 * Options of MONAI's DynUNet: the networks of nnU-Net. The defaults are those of a 3-D network of six levels.
 *
 * @module
 */
import { z } from 'zod';
import { perAxis } from '../../util/per-axis';
import { activationName, count, negativeSlope, normName, perAxisOption, probability, spatialDims } from './common';

export const dynUNetOptions = z
  .strictObject({
    spatialDims: spatialDims.default(3),
    inChannels: count.default(1),
    outChannels: count.default(2),
    kernelSize: z
      .array(perAxisOption)
      .min(3)
      .default([3, 3, 3, 3, 3, 3])
      .describe('Of each level, from the top down to the bottom.'),
    strides: z.array(perAxisOption).min(3).default([1, 2, 2, 2, 2, 2]).describe('Of each level.'),
    upsampleKernelSize: z
      .array(perAxisOption)
      .min(2)
      .default([2, 2, 2, 2, 2])
      .describe(
        'Of the transposed convolutions, from the top down: kernel and stride in one, that of the level below.',
      ),
    filters: z
      .array(count)
      .min(3)
      .optional()
      .describe(
        'Channels of each level: 32 and twice as many each level down, up to 320 in 3-D and 512 in 2-D, when omitted.',
      ),
    norm: normName.default('instance-affine'),
    numGroups: count.default(8).describe('Groups of group normalisation.'),
    act: activationName.default('leaky-relu'),
    negativeSlope: negativeSlope.default(0.01).describe('Slope of the leaky ReLU.'),
    dropout: probability
      .default(0)
      .describe('Chance that an element of what any convolution gives is dropped in training, [0, 1).'),
    resBlock: z.boolean().default(false),
    transBias: z.boolean().default(false).describe('Whether the transposed convolutions have a bias.'),
    deepSupervision: z
      .boolean()
      .default(false)
      .describe('Whether levels below the top are trained to segment, too, each by a head of its own.'),
    deepSuprNum: count.default(1).describe('Such levels, from the second down; the bottom has no head.'),
  })
  .superRefine((o, context) => {
    const levels = o.kernelSize.length;
    const problem = (path: keyof typeof o, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (o.strides.length !== levels) problem('strides', 'must have as many levels as kernelSize');
    if (o.upsampleKernelSize.length !== levels - 1)
      problem('upsampleKernelSize', 'must have one level fewer than kernelSize');
    if (o.filters && o.filters.length !== levels) problem('filters', 'must have as many levels as kernelSize');
    const widths = o.filters ?? [32];
    if (o.norm === 'group' && widths.some((n) => n % o.numGroups !== 0))
      problem('numGroups', `must divide the channels of each level, [${widths}]`);
    for (const key of ['kernelSize', 'strides', 'upsampleKernelSize'] as const) {
      const fits = o[key].every((n) => typeof n === 'number' || n.length === o.spatialDims);
      if (!fits) problem(key, `must have one number, or one per each of ${o.spatialDims} axes, for every level`);
    }
    if (
      `${o.strides.slice(1).map((n) => perAxis(o.spatialDims, n))}` !==
      `${o.upsampleKernelSize.map((n) => perAxis(o.spatialDims, n))}`
    ) {
      problem('upsampleKernelSize', 'must be the strides of the levels below the first');
    }
    const padded = o.kernelSize.every((k, i) =>
      perAxis(o.spatialDims, k).every(
        (n, axis) => n % 2 === 1 && n - (perAxis(o.spatialDims, o.strides[i] ?? 1)[axis] ?? 1) + 1 >= 0,
      ),
    );
    if (!padded) problem('kernelSize', 'must be odd, and not below the stride less one');
    if (o.deepSupervision && o.deepSuprNum > levels - 2)
      problem('deepSuprNum', 'must leave out the top and the bottom');
    // The shortcut of a residual block has a kernel of 1, whose padding would be negative beyond stride 2.
    const steps = o.strides.flatMap((n) => perAxis(o.spatialDims, n));
    if (o.resBlock && steps.some((n) => n > 2)) problem('strides', 'must be 1 or 2 with resBlock');
  });

export type DynUNetOptions = z.input<typeof dynUNetOptions>;
export type DynUNetSettings = z.output<typeof dynUNetOptions>;
