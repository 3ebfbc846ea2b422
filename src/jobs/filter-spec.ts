/**
 * Filters as data: which one, with which options, where it stands.
 *
 * @module
 */
import { z } from 'zod';

/** A number within bounds; the message names the option, its flag where it has one, what was expected and what came. */
function bounded(name: string, expected: string, holds: (value: number) => boolean) {
  const error = (issue: { readonly input?: unknown }): string =>
    `${name} must be ${expected}, but was ${show(issue.input)}.`;
  return z.number({ error }).refine(holds, { error });
}

function show(input: unknown): string {
  return typeof input === 'string' ? JSON.stringify(input) : input === undefined ? 'not given' : String(input);
}

/** Wide enough for every use, narrow enough that no scale overflows. */
const positive = (name: string) =>
  bounded(name, 'a number from 1e-12 to 1e12', (value) => value >= 1e-12 && value <= 1e12);

/** Options of the sparse-vector mechanisms; the flags of the original carry the same names with `--dp_` before them. */
const sparseVectorShape = {
  /** Share of the entries that may be released, in (0, 1]. */
  fraction: bounded('fraction (--dp_fraction)', 'a number above 0, at most 1', (value) => value > 0 && value <= 1),
  /** Budget ε₁ + ε₂ of the selection in one call. It is not the cost of the call: see the ledger. */
  epsilon: positive('epsilon (--dp_epsilon)'),
  /** ε of one released entry: the noise has scale 2·gamma / noiseVar, so a larger value means less noise. */
  noiseVar: positive('noiseVar (--dp_noise_var)'),
  /** Entries of the update, divided by the number of steps, are clipped to [−gamma, gamma]. */
  gamma: bounded('gamma (--dp_gamma)', 'a number from 1e-30 to 1e30', (value) => value >= 1e-30 && value <= 1e30),
  /** Threshold that a clipped magnitude has to pass, with noise on both. */
  tau: bounded('tau', 'a number from 0 to 1e30', (value) => value >= 0 && value <= 1e30).default(1e-6),
};

export const svtNvflareOptionsSchema = z.strictObject(sparseVectorShape);
export const svtOptionsSchema = z.strictObject({
  ...sparseVectorShape,
  /** Total ε that a site may spend in a run; a call that would pass it is refused. No limit when absent. */
  budget: positive('budget').optional(),
});

const filterSpec = z.discriminatedUnion('kind', [
  svtOptionsSchema.extend({ kind: z.literal('svt') }),
  svtNvflareOptionsSchema.extend({ kind: z.literal('svt-nvflare') }),
]);
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
