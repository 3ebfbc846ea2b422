/**
 * Filters as data: which one, with which options, where it stands.
 *
 * @module
 */
import { z } from 'zod';

const positive = z.number().positive().finite();

/** Options of the sparse-vector mechanisms; the flags of the original carry the same names with `--dp_` before them. */
const sparseVectorOptions = {
  /** Share of the entries that may be released, in (0, 1]. */
  fraction: z.number().gt(0).lte(1),
  /** Budget ε₁ + ε₂ of the selection in one call, > 0. It is not the cost of the call: see the ledger. */
  epsilon: positive,
  /** Release budget of one entry: the noise has scale 2·gamma / noiseVar, so a larger value means less noise. */
  noiseVar: positive,
  /** Entries of the update, divided by the number of steps, are clipped to [−gamma, gamma]. */
  gamma: positive,
  /** Threshold that a clipped magnitude has to pass before noise is added to both, ≥ 0. */
  tau: z.number().nonnegative().finite().default(1e-6),
};

export const svtSpec = z.strictObject({
  kind: z.literal('svt'),
  ...sparseVectorOptions,
  /** Total ε that a site may spend in this run; a call that would pass it is refused. No limit when absent. */
  budget: positive.optional(),
});

export const svtNvflareSpec = z.strictObject({
  kind: z.literal('svt-nvflare'),
  ...sparseVectorOptions,
});

export const filterSpec = z.discriminatedUnion('kind', [svtSpec, svtNvflareSpec]);
export type FilterSpec = z.infer<typeof filterSpec>;

/** Where a filter stands. `site-out`: on what leaves a site, before anyone else sees it. */
export const filterPlacement = z.strictObject({
  at: z.literal('site-out'),
  /** Tasks whose results pass the filter; all tasks that send tensors when absent. */
  tasks: z
    .array(z.enum(['train', 'validate']))
    .nonempty()
    .optional(),
  filter: filterSpec,
});
export type FilterPlacement = z.infer<typeof filterPlacement>;
