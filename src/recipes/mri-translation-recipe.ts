/**
 * The MRI translation system: a U-Net that makes one contrast of a slice out of another, trained between sites with different
 * scanners, by any of the strategies (Fiszer et al. 2025, https://doi.org/10.1101/2025.02.09.637305).
 *
 * @module
 */
import { ConfigError } from '../errors';
import { checkKeys } from '../jobs/check-keys';
import { contrastsOf } from '../jobs/contrasts';
import type { JobInput } from '../jobs/job-spec';
import { checkOptions } from './check-options';
import { given, roundInput, type TrainingRecipeOptions, trainingInput } from './fed-avg-recipe';
import { Recipe } from './recipe';
import { type StrategyName, type StrategyOptions, strategyOf, strategyTakes } from './strategies';

type TranslationTrainer = Extract<NonNullable<JobInput['trainer']>, { readonly kind: 'translation' }>;
type TranslationNetwork = Extract<NonNullable<JobInput['model']>, { readonly kind: 'translation-unet' }>;
type Slices = Extract<NonNullable<JobInput['data']>, { readonly kind: 'slices' }>;

export interface MriTranslationRecipeOptions {
  /** @default `mri_<strategy>`, and `mri_centralized` for the baseline */
  readonly name?: string;
  /** How the sites learn from each other. @default 'fedavg' */
  readonly strategy?: StrategyName;
  /**
   * What the strategy is told; each takes some. FedProx μ is 0.001 here, and with synthetic data, whose few rounds leave no time to
   * recover from large steps, the learning rate of an adaptive server 0.01. @default none
   */
  readonly strategyOptions?: StrategyOptions;
  /** The published code's numbers where they differ from the papers'. @default false */
  readonly seedExact?: boolean;
  /** Contrasts, source and target: T1, T2 and FLAIR. @default 'T1:T2' */
  readonly translation?: string;
  /** Number of sites, or their names. @default 4 */
  readonly nClients?: number | readonly string[];
  /** One site that has the slices of all: the baseline. @default false */
  readonly centralized?: boolean;
  /** Where the slices are; `{site}` in the path stands for a site's name. Without it: a synthetic data set. */
  readonly data?: { readonly path: string } | MriPhantomOptions;
  /** What intensities are divided by. @default 'slice-max' */
  readonly normalisation?: Slices['normalisation'];
  /** Share of the slices kept in memory. @default 0, and 1 with synthetic data */
  readonly cacheRate?: number;
  /** @default 32, and 20 with synthetic data */
  readonly rounds?: number;
  /** Epochs in a round. @default 4, and 2 with synthetic data */
  readonly epochs?: number;
  /** @default 32, and 8 with synthetic data */
  readonly batchSize?: number;
  /** Of the sites' Adam, which they keep from round to round. @default 1e-3, and 1e-2 with synthetic data */
  readonly learningRate?: number;
  /** Channels of the first level of the U-Net. @default 64, and 8 with synthetic data */
  readonly base?: number;
  /** @default 'batch' */
  readonly norm?: 'batch' | 'group' | 'none';
  /** @default MSE + (1 − SSIM)/2, with SSIM as torchmetrics computes it */
  readonly loss?: TranslationTrainer['loss'];
  /** Score the test slices in every round too. @default false */
  readonly testMetrics?: boolean;
  /** Execution provider and threads of the sessions. @default cpu */
  readonly engine?: JobInput['engine'];
  /** @default 0 */
  readonly seed?: number;
}

export interface MriPhantomOptions {
  /** @default 10 */
  readonly patientsPerSite?: number;
  /** Voxels of a head. @default 64 64 24 */
  readonly shape?: readonly [number, number, number];
}

/** Total by type. */
const phantomOptions: Readonly<Record<keyof MriPhantomOptions, true>> = { patientsPerSite: true, shape: true };

/** What differs between the published experiment and the embedded synthetic one, which has to finish within minutes. */
const defaults = {
  real: { rounds: 32, epochs: 4, batchSize: 32, learningRate: 1e-3, base: 64, cacheRate: 0 },
  synthetic: { rounds: 20, epochs: 2, batchSize: 8, learningRate: 1e-2, base: 8, cacheRate: 1 },
} as const;

/** Translation between MRI contrasts across sites, by any of the strategies. */
export class MriTranslationRecipe extends Recipe {
  /** @throws ConfigError naming each wrong option. */
  constructor(options: MriTranslationRecipeOptions = {}) {
    checkOptions('MriTranslationRecipe', options);
    const { data = {} } = options;
    if (!('path' in data)) checkKeys('MriTranslationRecipe, data', data, Object.keys(phantomOptions));
    const compiled = compile(options);
    super({ ...trainingInput(compiled), workflow: workflowInput(options, compiled) }, 'MriTranslationRecipe');
  }
}

function compile(options: MriTranslationRecipeOptions): TrainingRecipeOptions {
  const { strategy = 'fedavg', centralized = false, nClients = 4, seed = 0 } = options;
  const real = options.data !== undefined && 'path' in options.data;
  const settings = { ...(real ? defaults.real : defaults.synthetic), ...given({ ...options }) } as Settings;
  if (centralized && options.strategy !== undefined) {
    throw new ConfigError('The centralised baseline has one site and no strategy.', {
      hint: 'Leave out strategy, or centralized.',
    });
  }
  return {
    name: options.name ?? `mri_${centralized ? 'centralized' : strategy}`,
    sites: centralized ? 1 : nClients,
    rounds: settings.rounds,
    keyMetric: 'val_ssim',
    model: modelInput(options, settings),
    trainer: trainerInput(options, settings),
    data: dataInput(options, settings),
    ...(options.engine && { engine: options.engine }),
    seed,
  };
}

type Settings = (typeof defaults)[keyof typeof defaults];

function modelInput({ norm = 'batch' }: MriTranslationRecipeOptions, { base }: Settings): TranslationNetwork {
  // The published job has 32 groups, which a small network does not have channels for.
  const groups = norm === 'group' && { numGroups: Math.min(32, base) };
  return { kind: 'translation-unet', baseChannels: base, norm, ...groups };
}

function trainerInput(
  options: MriTranslationRecipeOptions,
  { epochs, batchSize, learningRate }: Settings,
): TranslationTrainer {
  const { strategy = 'fedavg', loss, testMetrics = false } = options;
  return {
    kind: 'translation',
    epochs,
    batchSize,
    learningRate,
    ...(loss && { loss }),
    // Control variates follow from plain gradient steps.
    ...(strategy === 'scaffold' && { optimiser: { kind: 'sgd' } }),
    // What FedCostWAvg and FedPIDAvg weigh by.
    validateEpochs: strategyTakes(strategy).includes('metric'),
    testMetrics,
  };
}

const adaptive: readonly StrategyName[] = ['fedadam', 'fedyogi', 'fedadagrad', 'fedbadam', 'fedmix'];

/** What the strategy is made of, and the rounds. */
function workflowInput(options: MriTranslationRecipeOptions, compiled: TrainingRecipeOptions) {
  const { strategy = 'fedavg', seedExact = false, strategyOptions } = options;
  const takes = strategyTakes(strategy);
  const synthetic = options.data === undefined || !('path' in options.data);
  const told = {
    ...(synthetic && !seedExact && adaptive.includes(strategy) && { serverLearningRate: 0.01 }),
    ...(takes.includes('mu') && { mu: 0.001 }),
    ...(takes.includes('metric') && { metric: 'epoch_val_loss' }),
    seedExact,
    ...strategyOptions,
  };
  return { ...strategyOf(strategy, told), ...roundInput(compiled) };
}

function dataInput(options: MriTranslationRecipeOptions, { cacheRate }: Settings): NonNullable<JobInput['data']> {
  const { normalisation = 'slice-max', centralized = false, nClients = 4, seed = 0, data = {} } = options;
  const common = { ...contrastsOf(options.translation ?? 'T1:T2'), normalisation, centralized, cacheRate };
  if ('path' in data) return { kind: 'slices', path: data.path, ...common };
  const { patientsPerSite = 10, shape = [64, 64, 24] } = data;
  const sites = typeof nClients === 'number' ? nClients : nClients.length;
  return { kind: 'multi-contrast-phantom', sites, patientsPerSite, shape: [...shape], seed, ...common };
}
