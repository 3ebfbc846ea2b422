/**
 * Workflows as data: the algorithm of the server, with its aggregator.
 *
 * @module
 */
import { z } from 'zod';
import { type StatisticName, statisticNames } from '../statistics/statistic-name';
import { findOwnPart, isOwn, ownSpec } from './own-part';

const count = z.int().positive();

/** How the updates of a round become one model. `weighted-mean`: weighted by the steps behind them. */
export const aggregatorSpec = z.union([
  z.discriminatedUnion('kind', [z.strictObject({ kind: z.literal('weighted-mean') })]),
  ownSpec('aggregator'),
]);
export type AggregatorSpec = z.output<typeof aggregatorSpec>;

/** What all workflows have that ask sites round after round. */
export const roundSettings = {
  rounds: count,
  minSites: count.describe('A round with fewer updates than this fails.'),
  keyMetric: z.string().min(1).default('val_dice').describe('Metric that chooses the best global model.'),
  keyMetricMode: z.enum(['max', 'min']).default('max').describe('Whether a larger or a smaller key metric is better.'),
  roundDeadlineSeconds: z
    .number()
    .positive()
    .default(7 * 24 * 3600)
    .describe('A round that takes longer closes with the updates it has, seconds.'),
};

const fedAvgSpec = z
  .strictObject({
    kind: z.literal('fed-avg'),
    ...roundSettings,
    aggregator: aggregatorSpec.prefault({ kind: 'weighted-mean' }),
  })
  .describe('Federated averaging (McMahan et al. 2017).');

const range = z.tuple([z.number().finite(), z.number().finite()]);
const defaultStatistics: StatisticName[] = ['count', 'failure-count', 'mean', 'stddev', 'histogram', 'quantiles'];

const fedStatsSpec = z
  .strictObject({
    kind: z.literal('fed-stats'),
    minSites: roundSettings.minSites,
    roundDeadlineSeconds: roundSettings.roundDeadlineSeconds,
    statistics: z
      .array(z.enum(statisticNames))
      .nonempty()
      .default(defaultStatistics)
      .describe(
        'What is formed of every feature, for each site and for all. Nothing that it does not need leaves a site.',
      ),
    features: z
      .array(z.string().min(1))
      .nonempty()
      .optional()
      .describe('Features that are wanted; all that the sites have when absent.'),
    bins: count.max(10_000).default(10).describe('Bins of a histogram, of equal width.'),
    ranges: z
      .record(z.string(), range)
      .default({})
      .describe(
        'By feature: lowest and highest edge of the bins. For the others, the range of all values, with noise.',
      ),
    quantiles: z
      .array(z.number().gt(0).lt(1))
      .nonempty()
      .default([0.25, 0.5, 0.75])
      .describe('Probabilities of the quantiles.'),
  })
  .describe("Statistics of the sites' data in two questions: sums first, then the spread about the mean of all.");

export const builtInWorkflow = z.discriminatedUnion('kind', [fedAvgSpec, fedStatsSpec]);
export const workflowSpec = z.union([builtInWorkflow, ownSpec('workflow')]);
export type BuiltInWorkflowSpec = z.output<typeof builtInWorkflow>;
export type WorkflowSpec = z.output<typeof workflowSpec>;

const defaultAggregator: AggregatorSpec = { kind: 'weighted-mean' };

/**
 * The aggregator that a workflow names: one of the user's own by its option `aggregator`. The default one when it names none.
 *
 * @throws ZodError, which the check of the job reports.
 */
export function aggregatorOf(spec: WorkflowSpec): AggregatorSpec {
  if (!isOwn(spec)) return 'aggregator' in spec ? spec.aggregator : defaultAggregator;
  return spec.aggregator === undefined ? defaultAggregator : aggregatorSpec.parse(spec.aggregator);
}

/** Tasks that each workflow gives to sites. */
const tasks: { readonly [K in BuiltInWorkflowSpec['kind']]: readonly string[] } = {
  'fed-avg': ['train', 'validate'],
  'fed-stats': ['statistics'],
};

/** What the rest of the system needs to know of a workflow, whoever wrote it. */
export interface WorkflowTraits {
  /** Rounds, for displays. */
  readonly rounds: number;
  readonly minSites: number;
  readonly keyMetric: string;
  readonly keyMetricMode: 'max' | 'min';
  readonly tasks: readonly string[];
}

/** Of a workflow whose rounds score no model. */
const withoutModel = { rounds: 1, keyMetric: 'none', keyMetricMode: 'max' } as const;

/** A workflow of the user's own says these in its options of the same names, and its tasks in its definition. */
export function workflowTraits(spec: WorkflowSpec): WorkflowTraits {
  if (!isOwn(spec)) {
    if (spec.kind === 'fed-stats') return { ...withoutModel, minSites: spec.minSites, tasks: tasks[spec.kind] };
    const { rounds, minSites, keyMetric, keyMetricMode } = spec;
    return { rounds, minSites, keyMetric, keyMetricMode, tasks: tasks[spec.kind] };
  }
  const { rounds, minSites, keyMetric, keyMetricMode } = spec;
  const definition = findOwnPart('workflow', spec.kind)?.definition as
    | { readonly tasks?: readonly string[] }
    | undefined;
  return {
    rounds: typeof rounds === 'number' ? rounds : 1,
    minSites: typeof minSites === 'number' ? minSites : 1,
    keyMetric: typeof keyMetric === 'string' ? keyMetric : 'val_dice',
    keyMetricMode: keyMetricMode === 'min' ? 'min' : 'max',
    tasks: definition?.tasks ?? ['train', 'validate'],
  };
}
