/**
 * Workflows as data: the algorithm of the server, with its aggregator.
 *
 * @module
 */
import { z } from 'zod';
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

export const builtInWorkflow = z.discriminatedUnion('kind', [fedAvgSpec]);
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
  if (!isOwn(spec)) return spec.aggregator;
  return spec.aggregator === undefined ? defaultAggregator : aggregatorSpec.parse(spec.aggregator);
}

/** Tasks that each workflow gives to sites. */
const tasks: { readonly [K in BuiltInWorkflowSpec['kind']]: readonly string[] } = {
  'fed-avg': ['train', 'validate'],
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

/** A workflow of the user's own says these in its options of the same names, and its tasks in its definition. */
export function workflowTraits(spec: WorkflowSpec): WorkflowTraits {
  if (!isOwn(spec)) {
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
