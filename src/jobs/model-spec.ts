/**
 * Models as data: which one, with which options.
 *
 * @module
 */
import { z } from 'zod';

const count = z.int().positive();

export const segResNetOptions = z
  .strictObject({
    /** Images are 2-D or 3-D. */
    spatialDims: z.union([z.literal(2), z.literal(3)]).default(3),
    /** Channels of the stem; each level down has twice as many. A multiple of `numGroups`. */
    initFilters: count.default(16),
    inChannels: count.default(4),
    outChannels: count.default(3),
    /** Chance that a channel of the stem is dropped in training, [0, 1). */
    dropoutProb: z.number().min(0).lt(1).default(0.2),
    /** Residual blocks of each level, downwards. */
    blocksDown: z.array(count).nonempty().default([1, 2, 2, 4]),
    /** Residual blocks of each level, upwards: one level fewer. */
    blocksUp: z.array(count).default([1, 1, 1]),
    /** Groups of the normalisation layers. */
    numGroups: count.default(8),
  })
  .refine((o) => o.initFilters % o.numGroups === 0, {
    error: 'must be a multiple of numGroups',
    path: ['initFilters'],
  })
  .refine((o) => o.blocksUp.length === o.blocksDown.length - 1, {
    error: 'must have one level fewer than blocksDown',
    path: ['blocksUp'],
  });

export type SegResNetOptions = z.input<typeof segResNetOptions>;
export type SegResNetSettings = z.output<typeof segResNetOptions>;

export const modelSpec = z.discriminatedUnion('kind', [segResNetOptions.safeExtend({ kind: z.literal('segresnet') })]);
export type ModelSpec = z.output<typeof modelSpec>;
