/**
 * Filters as data: which one, with which options, where it stands.
 *
 * @module
 */
import { z } from 'zod';
import { ownSpec } from './own-part';

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
  fraction: bounded(
    'fraction (--dp_fraction)',
    'a number above 0, at most 1',
    (value) => value > 0 && value <= 1,
  ).describe('Share of the entries that may be released, in (0, 1].'),
  epsilon: positive('epsilon (--dp_epsilon)').describe(
    'Budget ε₁ + ε₂ of the selection in one call. It is not the cost of the call: see the ledger.',
  ),
  noiseVar: positive('noiseVar (--dp_noise_var)').describe(
    'ε of one released entry: the noise has scale 2·gamma / noiseVar, so a larger value means less noise.',
  ),
  gamma: bounded(
    'gamma (--dp_gamma)',
    'a number from 1e-30 to 1e30',
    (value) => value >= 1e-30 && value <= 1e30,
  ).describe('Entries of the update, divided by the number of steps, are clipped to [−gamma, gamma].'),
  tau: bounded('tau', 'a number from 0 to 1e30', (value) => value >= 0 && value <= 1e30)
    .default(1e-6)
    .describe('Threshold that a clipped magnitude has to pass, with noise on both.'),
};

export const svtNvflareOptionsSchema = z.strictObject(sparseVectorShape);
export const svtOptionsSchema = z.strictObject({
  ...sparseVectorShape,
  budget: positive('budget')
    .optional()
    .describe('Total ε that a site may spend in a run; a call that would pass it is refused. No limit when absent.'),
});

const patterns = z.array(z.string().min(1).max(500));

export const excludeVarsOptionsSchema = z.strictObject({
  names: patterns
    .nonempty()
    .describe(
      'Tensors that leave as "no change"; * stands for any characters. A name that fits no tensor blocks the update.',
    ),
});

export const percentileOptionsSchema = z.strictObject({
  percentile: bounded('percentile', 'a number from 0 to 100', (value) => value >= 0 && value <= 100)
    .default(10)
    .describe('Changes smaller than this percentile of all changes stay at the site.'),
  gamma: bounded('gamma', 'a number from 1e-30 to 1e30', (value) => value >= 1e-30 && value <= 1e30)
    .default(0.01)
    .describe('Changes, divided by the number of steps, are clipped to [−gamma, gamma].'),
});

const blockMetricsOptionsSchema = z.strictObject({
  metrics: patterns.nonempty().describe('Metrics that stay at the site; * stands for any characters.'),
});
export const allowMetricsOptionsSchema = z.strictObject({
  metrics: patterns.describe('Metrics that may leave, all others stay; * stands for any characters. None when empty.'),
});

/** Options of the filters that list metrics. */
export const metricListSchemas = {
  'block-metrics': blockMetricsOptionsSchema,
  'allow-metrics': allowMetricsOptionsSchema,
};

const builtInFilter = z.discriminatedUnion('kind', [
  svtOptionsSchema.extend({ kind: z.literal('svt') }),
  svtNvflareOptionsSchema.extend({ kind: z.literal('svt-nvflare') }),
  excludeVarsOptionsSchema.extend({ kind: z.literal('exclude-vars') }),
  percentileOptionsSchema.extend({ kind: z.literal('percentile') }),
  blockMetricsOptionsSchema.extend({ kind: z.literal('block-metrics') }),
  allowMetricsOptionsSchema.extend({ kind: z.literal('allow-metrics') }),
]);
export type BuiltInFilterSpec = z.infer<typeof builtInFilter>;

export const filterSpec = z.union([builtInFilter, ownSpec('filter')]);
export type FilterSpec = z.infer<typeof filterSpec>;

/**
 * What a payload holds: full weights; local minus received weights; the same and the change of the site's control variates
 * (SCAFFOLD); the same and which numbers are shared (FedSelect); no tensors; statistics of a site's data.
 */
export const payloadKinds = [
  'weights',
  'weight-diff',
  'weight-control-diff',
  'weight-share-diff',
  'metrics',
  'statistics',
] as const;
export type PayloadKind = (typeof payloadKinds)[number];

/** What each filter can handle, and where it may stand. A privacy mechanism protects what leaves a site, at the site. */
export const filterTraits: {
  readonly [K in BuiltInFilterSpec['kind']]: {
    readonly accepts: readonly PayloadKind[];
    readonly at: readonly Place[];
    /** What it changes; other payloads that it accepts pass as they are. */
    readonly changes: readonly PayloadKind[];
  };
} = {
  svt: { accepts: ['weight-diff', 'metrics'], at: ['site-out'], changes: ['weight-diff'] },
  'svt-nvflare': { accepts: ['weight-diff', 'metrics'], at: ['site-out'], changes: ['weight-diff'] },
  'exclude-vars': { accepts: ['weight-diff', 'metrics'], at: ['site-out'], changes: ['weight-diff'] },
  percentile: { accepts: ['weight-diff', 'metrics'], at: ['site-out'], changes: ['weight-diff'] },
  'block-metrics': { accepts: payloadKinds, at: ['site-out'], changes: payloadKinds },
  'allow-metrics': { accepts: payloadKinds, at: ['site-out'], changes: payloadKinds },
};

/**
 * Where filters stand: on the global model as it leaves the server (`server-out`) and as it reaches a site (`site-in`); on a
 * site's answer as it leaves the site (`site-out`), before anyone else sees it, and as it reaches the server (`server-in`).
 */
export const places = ['server-out', 'site-in', 'site-out', 'server-in'] as const;
export type Place = (typeof places)[number];

export const filterPlacement = z.strictObject({
  at: z.enum(places),
  tasks: z
    .array(z.string().min(1))
    .nonempty()
    .optional()
    .describe('Tasks whose payloads pass the filter. All tasks when absent.'),
  sites: z
    .array(z.string().min(1))
    .nonempty()
    .optional()
    .describe('Sites whose payloads pass the filter. All sites when absent.'),
  filter: filterSpec,
});
export type FilterPlacement = z.infer<typeof filterPlacement>;
