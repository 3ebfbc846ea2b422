/**
 * Workflows as data: the algorithm of the server, with its aggregator.
 *
 * @module
 */
import { z } from 'zod';
import { type StatisticName, statisticNames } from '../statistics/statistic-name';
import { type AggregatorSpec, aggregatorSpec } from './aggregator-spec';
import { environmentText } from './environment-text';
import { findOwnPart, isOwn, ownSpec } from './own-part';
import { serverOptimiserSpec } from './server-optimiser-spec';
import { siteTerms } from './site-terms-spec';

const count = z.int().positive();

/** What becomes of sites that are slow, silent or in error. */
const stragglerSettings = {
  graceSeconds: z
    .number()
    .nonnegative()
    .finite()
    .optional()
    .describe(
      'How long a round waits for the others once minSites have answered, seconds. The whole deadline when absent.',
    ),
  roundRetries: z
    .int()
    .nonnegative()
    .max(1000)
    .default(2)
    .describe('How often the sites that were too late are asked again when a round has fewer updates than minSites.'),
  siteErrors: z
    .enum(['tolerate', 'fail'])
    .default('tolerate')
    .describe('Whether a site that fails, or whose update is refused, only counts as missing or ends the run.'),
};

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
  ...stragglerSettings,
};

/** What workflows have that train one model round after round. */
const trainingSettings = {
  ...roundSettings,
  sitesPerRound: count
    .optional()
    .describe('Sites that are asked in a round, drawn anew from the seed for each. All when absent.'),
  earlyStop: z
    .strictObject({
      patience: count.optional().describe('Ends the run after so many rounds without a better global model.'),
      minDelta: z
        .number()
        .nonnegative()
        .finite()
        .default(0)
        .describe('By how much the key metric has to be better to count as better.'),
      target: z.number().finite().optional().describe('Ends the run once the key metric of the global model is there.'),
    })
    .refine(({ patience, target }) => patience !== undefined || target !== undefined, 'needs patience or target')
    .optional()
    .describe(
      'Ends the run before its last round, by the key metric of the global model, in the direction of its mode.',
    ),
  aggregator: aggregatorSpec.prefault({ kind: 'weighted-mean' }),
};
export type EarlyStopSettings = NonNullable<z.output<typeof fedAvgSpec>['earlyStop']>;

const serverOptimiser = serverOptimiserSpec
  .optional()
  .describe('How the global model moves along the mean change (FedOpt). To the mean when absent.');

const proximalMu = z
  .number()
  .nonnegative()
  .finite()
  .optional()
  .describe('FedProx μ: sites add (μ/2)·‖w − w_received‖² to the loss. It reaches training code as a task setting.');

const fedAvgSpec = z
  .strictObject({
    kind: z.literal('fed-avg'),
    ...trainingSettings,
    serverOptimiser,
    proximalMu,
    ...siteTerms,
  })
  .describe(
    'Federated averaging (McMahan et al. 2017); with proximalMu FedProx (Li et al. 2020), with serverOptimiser FedOpt (Reddi et al. 2021), with personal FedBN (Li et al. 2021) and FedBAdam.',
  );

const scaffoldSpec = z
  .strictObject({
    kind: z.literal('scaffold'),
    ...trainingSettings,
    serverOptimiser,
    learningRate: z
      .number()
      .positive()
      .finite()
      .optional()
      .describe(
        'Learning rate of the sites, for training code of your own: it reaches it as a task setting, and control variates follow from it. The built-in trainer has its own.',
      ),
  })
  .describe('SCAFFOLD (Karimireddy et al. 2020): control variates against the drift of sites with different data.');

const fedSelectSpec = z
  .strictObject({
    kind: z.literal('fed-select'),
    ...trainingSettings,
    every: count
      .default(3)
      .describe("Rounds from one choice of a site's own numbers to the next; none in the first round."),
    share: z
      .number()
      .gt(0)
      .max(1)
      .default(0.1)
      .describe('Share of the shared numbers of a tensor that a choice takes: those that training moved furthest.'),
    most: z
      .number()
      .min(0)
      .max(1)
      .default(0.8)
      .describe("A tensor of which a larger share is the site's own gives no more."),
  })
  .describe(
    "FedSelect (Tamirisa et al. 2024): single numbers of the tensors called 'weight' become a site's own; the others are averaged over the sites that share them.",
  );

const cyclicSpec = z
  .strictObject({
    kind: z.literal('cyclic'),
    ...roundSettings,
    order: z
      .enum(['fixed', 'random', 'random-no-repeat'])
      .default('fixed')
      .describe(
        "Order of the sites in a round: the job's; drawn from the seed; drawn so that no site follows itself from round to round.",
      ),
  })
  .describe('The model goes from site to site, and each trains it further; roundDeadlineSeconds is of each turn.');

const { rounds: _, ...evaluationSettings } = roundSettings;

const fedEvalSpec = z
  .strictObject({ kind: z.literal('fed-eval'), ...evaluationSettings })
  .describe('The model that the job starts from, scored at every site; nothing is trained.');

const crossSiteEvalSpec = z
  .strictObject({
    kind: z.literal('cross-site-eval'),
    ...trainingSettings,
    rounds: z
      .int()
      .nonnegative()
      .describe('Rounds of federated averaging first; at 0 only the given checkpoints are scored.'),
    checkpoints: z
      .record(
        z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._ -]{0,62}$/, 'letters, digits, dots, dashes, underscores and spaces'),
        environmentText(z.string().min(1)),
      )
      .default({})
      .describe("Files of further models to score, by name; a relative path starts from the job's folder."),
  })
  .describe("Every site's own model and the server's models, scored at every site.");

const range = z.tuple([z.number().finite(), z.number().finite()]);
const defaultStatistics: StatisticName[] = ['count', 'failure-count', 'mean', 'stddev', 'histogram', 'quantiles'];

const fedStatsSpec = z
  .strictObject({
    kind: z.literal('fed-stats'),
    minSites: roundSettings.minSites,
    roundDeadlineSeconds: roundSettings.roundDeadlineSeconds,
    ...stragglerSettings,
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

export const builtInWorkflow = z.discriminatedUnion('kind', [
  fedAvgSpec,
  scaffoldSpec,
  fedSelectSpec,
  cyclicSpec,
  fedEvalSpec,
  crossSiteEvalSpec,
  fedStatsSpec,
]);
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
  scaffold: ['train', 'validate'],
  'fed-select': ['train', 'validate'],
  cyclic: ['validate', 'train'],
  'fed-eval': ['validate'],
  'cross-site-eval': ['train', 'submit-model', 'validate'],
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
    const { minSites, keyMetric, keyMetricMode } = spec;
    const rounds = 'rounds' in spec ? spec.rounds : 0;
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
