/**
 * Options of the PatchGAN discriminator, with the defaults of pFLSynth: patches of 70×70.
 *
 * @module
 */
import { z } from 'zod';
import { count } from './common';

export const patchGanOptions = z.strictObject({
  inChannels: count.default(2).describe('Of the source and the target, which are seen together.'),
  baseChannels: count
    .default(64)
    .describe('Channels of the first layer; each further one has twice as many, at most eight times as many.'),
  layers: count
    .default(3)
    .describe('Convolutions with normalisation. All but the last have stride 2, as the first convolution has.'),
  norm: z.enum(['batch', 'instance']).default('batch'),
});

export type PatchGanOptions = z.input<typeof patchGanOptions>;
export type PatchGanSettings = z.output<typeof patchGanOptions>;
