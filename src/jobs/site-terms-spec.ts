/**
 * What the sites' side of federated averaging may add, as data: what a site keeps of the model, and what it minimises.
 *
 * @module
 */
import { z } from 'zod';
import { personalSpec } from './personal-spec';

const proximalReference = z
  .enum(['round', 'epoch'])
  .default('round')
  .describe(
    'What the proximal term holds the weights near: those that the site received, as in the paper, or those it had at the start of the running local epoch, as in the code of the MRI translation job.',
  );

const ditto = z
  .strictObject({
    lambda: z
      .number()
      .nonnegative()
      .finite()
      .default(0.1)
      .describe("λ: a site's own model v minimises F(v) + (λ/2)·‖v − w‖² for the global model w."),
  })
  .describe(
    'Ditto (Li et al. 2021): beside its part in the global model, each site trains one of its own that is held near it and never leaves. Its metrics have personal_ before their names.',
  );

const contrast = z
  .strictObject({
    beta: z.number().positive().finite().default(100).describe('β, the factor of the term.'),
  })
  .describe(
    "FedMRI's contrast term (Feng et al. 2022), about the parameters that are not personal: β·‖w − w_received‖₁ / Σ‖w − w_j‖₁ over all sites' weights after their last training is added to the loss. For this the server sends every site the weights of each, so a site's shared weights are known to all the others.",
  );

/** Fields of the workflow. */
export const siteTerms = {
  proximalReference,
  personal: personalSpec.optional(),
  ditto: ditto.optional(),
  contrast: contrast.optional(),
};
