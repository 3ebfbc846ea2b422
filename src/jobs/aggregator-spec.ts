/**
 * Aggregators as data: how the updates of a round become one model.
 *
 * @module
 */
import { z } from 'zod';
import { isOwn, ownSpec } from './own-part';

const positive = z.number().positive().finite();
const share = z.number().min(0).max(1);

const metric = z
  .string()
  .min(1)
  .default('train_loss')
  .describe('Metric of the updates that stands for the cost of a site. An update without it is refused.');

const faulty = z
  .int()
  .nonnegative()
  .default(1)
  .describe('f: how many of the updates of a round may be wrong in whatever way.');

const weightedMean = z
  .strictObject({ kind: z.literal('weighted-mean') })
  .describe('The mean, weighted by the steps behind each update (McMahan et al. 2017, arXiv:1602.05629).');

const mean = z
  .strictObject({ kind: z.literal('mean') })
  .describe('The mean in which every site counts the same: FedMean.');

const costWeighted = z
  .strictObject({
    kind: z.literal('cost-weighted'),
    alpha: share
      .default(0.5)
      .describe('Share of the weight that goes by steps; the rest goes by the drop of the cost.'),
    metric,
  })
  .describe(
    'FedCostWAvg (Mächler et al. 2021, arXiv:2111.08649): sites whose cost has dropped more since their last round count more.',
  );

const pidWeighted = z
  .strictObject({
    kind: z.literal('pid-weighted'),
    alpha: share.default(0.45).describe('Share of the weight that goes by steps.'),
    beta: share.default(0.45).describe('Share that goes by the drop of the cost since the last round.'),
    gamma: share.default(0.1).describe('Share that goes by the sum of the last costs.'),
    window: z.int().positive().max(1000).default(5).describe('How many costs of a site that sum has at most.'),
    absolute: z
      .boolean()
      .default(false)
      .describe(
        'Takes a rise of the cost for a drop, as the code of the MRI translation job does; not in the paper, where a site whose cost rises can have a negative weight.',
      ),
    metric,
  })
  .refine(({ alpha, beta, gamma }) => Math.abs(alpha + beta + gamma - 1) < 1e-9, {
    error: 'alpha, beta and gamma must add up to 1',
    path: ['gamma'],
  })
  .describe('FedPIDAvg (Mächler et al. 2023, arXiv:2304.12117): weights by steps, drop and sum of the cost.');

const median = z
  .strictObject({ kind: z.literal('median') })
  .describe('The median of every number (Yin et al. 2018, arXiv:1803.01498). Weights are ignored.');

const trimmedMean = z
  .strictObject({
    kind: z.literal('trimmed-mean'),
    share: z
      .number()
      .gt(0)
      .lt(0.5)
      .default(0.2)
      .describe('β: share of the updates that are left out at either end, rounded down; at least one has to be.'),
  })
  .describe(
    'The mean of every number without its largest and smallest values (Yin et al. 2018, arXiv:1803.01498). Weights are ignored.',
  );

const krum = z
  .strictObject({ kind: z.literal('krum'), faulty })
  .describe(
    'The one update that lies nearest to its neighbours (Blanchard et al. 2017, arXiv:1703.02757). Needs 2f + 3 updates. Weights are ignored.',
  );

const multiKrum = z
  .strictObject({
    kind: z.literal('multi-krum'),
    faulty,
    selected: z
      .int()
      .positive()
      .optional()
      .describe('m: how many updates the mean is of. n − f − 2 of n updates when absent, the most the proof covers.'),
  })
  .describe(
    'The mean of the updates that lie nearest to their neighbours (Blanchard et al. 2017, arXiv:1703.02757). Needs 2f + 3 updates, and f + m. Weights are ignored.',
  );

const bulyan = z
  .strictObject({ kind: z.literal('bulyan'), faulty })
  .describe(
    'Krum chooses n − 2f updates; then, of every number, the mean of the n − 4f values nearest to their median (El Mhamdi et al. 2018, arXiv:1802.07927). Needs 4f + 3 updates. Weights are ignored.',
  );

const geometricMedian = z
  .strictObject({
    kind: z.literal('geometric-median'),
    smoothing: positive.default(1e-6).describe('ν: an update nearer than this counts as this far.'),
    iterations: z.int().positive().max(10_000).default(100).describe('Most steps of Weiszfeld’s algorithm.'),
  })
  .describe(
    'The point with the least sum of distances to the updates (RFA, Pillutla et al. 2019, arXiv:1912.13445). Weights are ignored.',
  );

const centredClipping = z
  .strictObject({
    kind: z.literal('centred-clipping'),
    radius: positive.describe('τ: how far from the centre an update can pull.'),
    iterations: z.int().positive().max(1000).default(1).describe('How often the centre moves in a round.'),
  })
  .describe(
    'The centre, first the change of the round before, moves by the mean of the differences to it, each shortened to the radius (Karimireddy et al. 2021, arXiv:2012.10333). Weights are ignored.',
  );

const normClipping = z
  .strictObject({
    kind: z.literal('norm-clipping'),
    maxNorm: positive.describe('C: the largest Euclidean norm of what a site changes.'),
  })
  .describe(
    'The mean of the changes, each shortened to the largest norm (Sun et al. 2019, arXiv:1911.07963). Weights are ignored.',
  );

const builtInAggregator = z.discriminatedUnion('kind', [
  weightedMean,
  mean,
  costWeighted,
  pidWeighted,
  median,
  trimmedMean,
  krum,
  multiKrum,
  bulyan,
  geometricMedian,
  centredClipping,
  normClipping,
]);

/** How the updates of a round become one model. */
export const aggregatorSpec = z.union([builtInAggregator, ownSpec('aggregator')]);
export type AggregatorSpec = z.output<typeof aggregatorSpec>;
export type BuiltInAggregatorSpec = z.output<typeof builtInAggregator>;
export type AggregatorSpecOf<K extends BuiltInAggregatorSpec['kind']> = Extract<
  BuiltInAggregatorSpec,
  { readonly kind: K }
>;

/** How many of `count` values a trimmed mean leaves out at either end: ⌊share · count⌋, and 0.29 · 100 is 29. */
export function trimmedEach(share: number, count: number): number {
  return Math.floor(share * count + 1e-9);
}

/** The fewest updates that an aggregator can keep its promise with; with fewer the round fails. 1 for one of the user's own. */
export function fewestUpdates(spec: AggregatorSpec): number {
  if (isOwn(spec)) return 1;
  switch (spec.kind) {
    case 'median':
    case 'geometric-median':
      return 3;
    case 'trimmed-mean':
      return Math.ceil(1 / spec.share - 1e-9);
    case 'krum':
      return 2 * spec.faulty + 3;
    case 'multi-krum':
      return Math.max(2 * spec.faulty + 3, spec.faulty + (spec.selected ?? 1));
    case 'bulyan':
      return 4 * spec.faulty + 3;
    default:
      return 1;
  }
}
