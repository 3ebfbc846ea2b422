/**
 * Options of the U-Net for image-to-image translation, with the defaults of the MRI translation job.
 *
 * @module
 */
import { z } from 'zod';
import { count } from './common';

export const translationUNetOptions = z
  .strictObject({
    inChannels: count.default(1),
    outChannels: count.default(1),
    baseChannels: count
      .default(64)
      .describe('Channels of the first level; each of the four levels down has twice as many.'),
    norm: z.enum(['batch', 'group', 'none']).default('batch'),
    numGroups: count.default(32).describe('Groups of group normalisation.'),
    bilinear: z
      .boolean()
      .default(false)
      .describe(
        'Upwards by bilinear interpolation that aligns corners, with half the channels, not by transposed convolutions.',
      ),
  })
  .refine((o) => !o.bilinear || o.baseChannels % 2 === 0, {
    error: 'must be even with bilinear interpolation',
    path: ['baseChannels'],
  })
  .refine((o) => o.norm !== 'group' || o.baseChannels % o.numGroups === 0, {
    error: 'must be a multiple of numGroups',
    path: ['baseChannels'],
  });

export type TranslationUNetOptions = z.input<typeof translationUNetOptions>;
export type TranslationUNetSettings = z.output<typeof translationUNetOptions>;
