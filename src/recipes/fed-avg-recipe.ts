import { ConfigError } from '../errors';
import type { JobInput } from '../jobs/job-spec';
import type { roundSettings } from '../jobs/workflow-spec';
import { checkOptions } from './check-options';
import { type CommonOptions, commonInput, Recipe, sitesOf } from './recipe';
import { type StrategyName, type StrategyOptions, strategyOf } from './strategies';

/** What all recipes share that send a model to the sites. */
export interface ModelRecipeOptions extends CommonOptions {
  /** The network, or the tensors that training code of your own trains. */
  readonly model: NonNullable<JobInput['model']>;
  /** File whose tensors the network starts from, `.safetensors` or `.pt`. @default drawn from the seed */
  readonly initialCheckpoint?: string;
  /** One of the built-in trainers or your own. Give this, or `trainScript`, or `trainCommand`. */
  readonly trainer?: JobInput['trainer'];
  /** Your training loop in TypeScript or JavaScript, run in a worker of its own at every site. */
  readonly trainScript?: string;
  /** What `trainScript` finds in `site.args`. @default none */
  readonly trainArgs?: readonly string[];
  /** Your training program in any language: program and arguments. It speaks frames over stdin and stdout. */
  readonly trainCommand?: readonly [string, ...string[]];
  /** A task that `trainScript` or `trainCommand` has not answered by then fails, seconds. @default a day */
  readonly replySeconds?: number;
  /** What `trainScript` and `trainCommand` send: the difference to the received weights, formed for them, or the weights. @default 'weight-diff' */
  readonly transfer?: 'weight-diff' | 'weights';
  /** Answers that a round needs at least. @default the number of sites that are asked */
  readonly minSites?: number;
  /** Metric that chooses the best model. @default 'val_dice' */
  readonly keyMetric?: string;
  /** Whether a larger or a smaller key metric is better. @default 'max' */
  readonly keyMetricMode?: 'max' | 'min';
  /** A round that takes longer closes with the updates it has, seconds. @default a week */
  readonly roundDeadlineSeconds?: number;
  /** How long a round waits for the others once `minSites` have answered, seconds. @default the whole deadline */
  readonly graceSeconds?: number;
  /** How often sites that were too late are asked again when a round has too few updates. @default 2 */
  readonly roundRetries?: number;
  /** Whether a site in error only counts as missing or ends the run. @default 'tolerate' */
  readonly siteErrors?: 'tolerate' | 'fail';
}

/** What all recipes share that train one model round after round. */
export interface TrainingRecipeOptions extends ModelRecipeOptions {
  /** How often the sites train. */
  readonly rounds: number;
}

/** What recipes with a model share besides the settings of their rounds. */
export type TrainedOptions = Omit<ModelRecipeOptions, keyof typeof roundSettings>;

/** What the recipes of the federated-averaging family share. */
export interface AveragingRecipeOptions extends TrainingRecipeOptions {
  /** How updates become one model. @default the mean weighted by steps */
  readonly aggregator?: FedAvgInput['aggregator'];
  /** Sites that take part in a round, drawn anew for each. @default all */
  readonly sitesPerRound?: number;
  /** Ends the run early: after `patience` rounds without a better global model, or once it reaches `target`. @default never */
  readonly earlyStop?: FedAvgInput['earlyStop'];
}

export interface FedAvgRecipeOptions extends AveragingRecipeOptions {
  /** A strategy by its name: it fills the fields of the workflow that it is made of. @default 'fedavg' */
  readonly strategy?: StrategyName;
  /** What the strategy is told; each takes some. @default none */
  readonly strategyOptions?: StrategyOptions;
  /** Tensors that each site keeps for itself: those of the normalisation layers, or by parts of their names. @default none */
  readonly personal?: FedAvgInput['personal'];
}

type FedAvgInput = Extract<JobInput['workflow'], { readonly kind: 'fed-avg' }>;

/** Federated averaging (McMahan et al. 2017, https://arxiv.org/abs/1602.05629) of any model and trainer. */
export class FedAvgRecipe extends Recipe {
  /** @throws ConfigError naming each wrong option. */
  constructor(options: FedAvgRecipeOptions) {
    checkOptions('FedAvgRecipe', options);
    super(fedAvgInput(options, strategyInput(options)), 'FedAvgRecipe', options.folder);
  }
}

/** The fields of the workflow that make up the strategy. @throws ConfigError for one that is given twice */
function strategyInput({ strategy = 'fedavg', strategyOptions, aggregator, personal }: FedAvgRecipeOptions) {
  const fields = strategyOf(strategy, strategyOptions);
  const own = given({ aggregator, personal });
  const twice = Object.keys(own).find((field) => field in fields);
  if (twice === undefined) return { ...fields, ...own };
  throw new ConfigError(`The strategy '${strategy}' has its own ${twice}, and the recipe was given another one.`, {
    hint: `Leave out ${twice}, or the strategy.`,
  });
}

/** A job of federated averaging, or of a workflow that has the same settings and more. */
export function fedAvgInput(options: AveragingRecipeOptions, workflow: WorkflowInput = { kind: 'fed-avg' }) {
  const { aggregator, sitesPerRound, earlyStop } = options;
  const settings = { aggregator, sitesPerRound, earlyStop };
  return { ...trainingInput(options), workflow: { ...workflow, ...roundInput(options), ...given(settings) } };
}

interface WorkflowInput extends Readonly<Record<string, unknown>> {
  readonly kind: string;
}

/** The options that were given, without the absent ones. */
export function given(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** The job's fields that all recipes with a model fill alike. */
export function trainingInput(options: TrainedOptions): Record<string, unknown> {
  const { model, initialCheckpoint } = options;
  return {
    ...commonInput(options),
    model,
    ...(initialCheckpoint !== undefined && { initialCheckpoint }),
    trainer: trainerInput(options),
  };
}

/** The settings of a workflow's rounds. */
export function roundInput(options: TrainingRecipeOptions): Record<string, unknown> {
  return { rounds: options.rounds, ...askInput(options) };
}

/** The settings of whatever a workflow asks the sites. */
export function askInput(options: ModelRecipeOptions & { readonly sitesPerRound?: number }): Record<string, unknown> {
  const { sites, sitesPerRound, keyMetric, keyMetricMode, roundDeadlineSeconds } = options;
  const { graceSeconds, roundRetries, siteErrors } = options;
  const minSites = options.minSites ?? sitesPerRound ?? sitesOf(sites).length;
  const stragglers = { roundDeadlineSeconds, graceSeconds, roundRetries, siteErrors };
  return { minSites, ...given({ keyMetric, keyMetricMode, ...stragglers }) };
}

function trainerInput(options: TrainedOptions): unknown {
  const { trainer, trainScript, trainArgs, trainCommand, transfer, replySeconds } = options;
  const ways = Object.keys(given({ trainer, trainScript, trainCommand }));
  if (ways.length !== 1) {
    const names = ways.join(' and ');
    throw new ConfigError(`A recipe needs one of trainer, trainScript and trainCommand, but got ${names || 'none'}.`, {
      hint: 'Leave only the one that trains at the sites.',
    });
  }
  const common = { ...(transfer !== undefined && { transfer }), ...(replySeconds !== undefined && { replySeconds }) };
  if (trainScript !== undefined) return { kind: 'script', script: trainScript, args: trainArgs ?? [], ...common };
  if (trainArgs !== undefined) {
    throw new ConfigError('trainArgs go with trainScript; put the arguments of trainCommand into its own list.');
  }
  if (trainCommand !== undefined) return { kind: 'command', command: [...trainCommand], ...common };
  const [misplaced] = Object.keys(common);
  if (misplaced !== undefined) {
    throw new ConfigError(`${misplaced} goes with trainScript or trainCommand.`, {
      hint: 'Set it in the options of the trainer itself.',
    });
  }
  return trainer;
}
