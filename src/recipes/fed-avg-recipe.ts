import { ConfigError } from '../errors';
import type { JobInput } from '../jobs/job-spec';
import type { roundSettings } from '../jobs/workflow-spec';
import { type CommonOptions, commonInput, Recipe, sitesOf } from './recipe';

/** What all recipes share that train one model round after round. */
export interface TrainingRecipeOptions extends CommonOptions {
  /** How often the sites train. */
  readonly rounds: number;
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
  /** Updates that a round needs at least. @default the number of sites */
  readonly minSites?: number;
  /** Metric that chooses the best model. @default 'val_dice' */
  readonly keyMetric?: string;
  /** Whether a larger or a smaller key metric is better. @default 'max' */
  readonly keyMetricMode?: 'max' | 'min';
  /** A round that takes longer closes with the updates it has, seconds. @default a week */
  readonly roundDeadlineSeconds?: number;
}

/** What training recipes share besides the settings of their rounds. */
export type TrainedOptions = Omit<TrainingRecipeOptions, keyof typeof roundSettings>;

export interface FedAvgRecipeOptions extends TrainingRecipeOptions {
  /** How updates become one model. @default the mean weighted by steps */
  readonly aggregator?: FedAvgInput['aggregator'];
}

type FedAvgInput = Extract<JobInput['workflow'], { readonly kind: 'fed-avg' }>;

/** Federated averaging (McMahan et al. 2017, https://arxiv.org/abs/1602.05629) of any model and trainer. */
export class FedAvgRecipe extends Recipe {
  /** @throws ConfigError naming each wrong option. */
  constructor(options: FedAvgRecipeOptions) {
    const { aggregator } = options;
    const workflow = { kind: 'fed-avg', ...roundInput(options), ...(aggregator !== undefined && { aggregator }) };
    super({ ...trainingInput(options), workflow }, 'FedAvgRecipe', options.folder);
  }
}

/** The job's fields that all training recipes fill alike. */
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
  const { rounds, minSites, keyMetric, keyMetricMode, roundDeadlineSeconds } = options;
  return {
    rounds,
    minSites: minSites ?? sitesOf(options.sites).length,
    ...(keyMetric !== undefined && { keyMetric }),
    ...(keyMetricMode !== undefined && { keyMetricMode }),
    ...(roundDeadlineSeconds !== undefined && { roundDeadlineSeconds }),
  };
}

function trainerInput(options: TrainedOptions): unknown {
  const { trainer, trainScript, trainArgs, trainCommand, transfer, replySeconds } = options;
  const given = Object.entries({ trainer, trainScript, trainCommand }).filter(([, value]) => value !== undefined);
  if (given.length !== 1) {
    const names = given.map(([name]) => name).join(' and ');
    throw new ConfigError(`A recipe needs one of trainer, trainScript and trainCommand, but got ${names || 'none'}.`, {
      hint: 'Leave only the one that trains at the sites.',
    });
  }
  const common = { ...(transfer !== undefined && { transfer }), ...(replySeconds !== undefined && { replySeconds }) };
  if (trainScript !== undefined)
    return { kind: 'script', script: trainScript, args: [...(trainArgs ?? [])], ...common };
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
