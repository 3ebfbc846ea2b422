/**
 * Personal tensors as data: the part of a model that each site keeps for itself.
 *
 * @module
 */
import { z } from 'zod';

const parts = z.array(z.string().min(1).max(512)).nonempty().max(1000);

/** Which tensors a site does not take from the server. */
export const personalSpec = z
  .union([
    z.literal('normalisation').describe('Parameters and statistics of the normalisation layers, as the network says.'),
    z.strictObject({ names: parts.describe('Tensors whose name contains one of these.') }),
    z.strictObject({ allBut: parts.describe('Tensors whose name contains none of these.') }),
  ])
  .describe(
    'Tensors that each site keeps for itself: it loads its own before training and validation. Updates hold them all the same. FedBN (Li et al. 2021): normalisation.',
  );
export type PersonalSpec = z.output<typeof personalSpec>;
