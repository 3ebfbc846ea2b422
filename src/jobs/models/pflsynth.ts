/**
 * Options of the pFLSynth generator, with the defaults of the published job.
 *
 * @module
 */
import { z } from 'zod';
import { count } from './common';

export const pflSynthOptions = z
  .strictObject({
    inChannels: count.default(1),
    outChannels: count.default(1),
    baseChannels: count
      .default(64)
      .describe('Channels of the first layer; twice and four times as many further down. A multiple of reduction.'),
    sites: count.default(4).describe('Sites that the code tells apart.'),
    contrasts: count.default(4).describe('Contrasts that the code tells apart, of the source and of the target.'),
    mappingLayers: count.default(6).describe('Dense layers of the mapper, and their width.'),
    latentSize: count.default(512),
    reduction: count
      .default(8)
      .describe('The gates of the personalisation blocks have that many times fewer channels in between.'),
    dropout: z
      .boolean()
      .default(true)
      .describe('Whether half of the activations inside the residual blocks are dropped in training.'),
  })
  .refine((o) => o.baseChannels % o.reduction === 0, {
    error: 'must be a multiple of reduction',
    path: ['baseChannels'],
  });

export type PflSynthOptions = z.input<typeof pflSynthOptions>;
export type PflSynthSettings = z.output<typeof pflSynthOptions>;
