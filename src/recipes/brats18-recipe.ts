/**
 * The BraTS18 system: federated segmentation of brain tumours with a SegResNet, optionally with the sparse-vector filter
 * (Li et al. 2019, https://arxiv.org/abs/1910.00962).
 *
 * @module
 */
import { checkKeys } from '../jobs/check-keys';
import type { JobInput } from '../jobs/job-spec';
import { checkOptions } from './check-options';
import { roundInput, type TrainingRecipeOptions, trainingInput } from './fed-avg-recipe';
import { Recipe } from './recipe';
import { type StrategyName, type StrategyOptions, strategyOf } from './strategies';

export interface Brats18PrivacyOptions {
  /** `svt`: the sparse vector technique, correct. `svt-nvflare`: NVFlare 2.7's variant, not differentially private. @default 'svt' */
  readonly mechanism?: 'svt' | 'svt-nvflare';
  /** Share of the weights that may be released. @default 0.9 */
  readonly fraction?: number;
  /** Budget of the selection. @default 0.001 */
  readonly epsilon?: number;
  /** Release budget of one weight; larger is less noise. @default 1 */
  readonly noiseVar?: number;
  /** Clipping bound of a weight's change per step. @default 1e-4 */
  readonly gamma?: number;
}

export interface Brats18RecipeOptions {
  /** @default `brats18_<n>`, with `_dp` when the filter is on */
  readonly name?: string;
  /** 1 is the centralised baseline on `site-All.json`. @default 4 */
  readonly nClients?: number;
  /** Where the cases are. Without it: a synthetic data set in the same layout. */
  readonly data?: { readonly baseDir: string; readonly datalistDir: string } | Brats18PhantomOptions;
  /** @default 600, and 7 with synthetic data */
  readonly rounds?: number;
  /** Epochs in a round. @default 1, and 2 with synthetic data */
  readonly epochs?: number;
  /** @default 1e-4, and 2e-3 with synthetic data */
  readonly learningRate?: number;
  /** FedProx μ. @default 0 */
  readonly proximalMu?: number;
  /** How the sites' models become one, and what each keeps for itself, by name. @default 'fedavg', as published */
  readonly strategy?: StrategyName;
  /** What the strategy is told; each takes some. @default none */
  readonly strategyOptions?: StrategyOptions;
  /** Share of the cases kept in memory. @default 0, and 1 with synthetic data */
  readonly cacheRate?: number;
  /** @default 224 224 144, and 32 32 32 with synthetic data */
  readonly roi?: readonly [number, number, number];
  /** @default 240 240 160, and 64 64 32 with synthetic data: a whole padded volume */
  readonly inferRoi?: readonly [number, number, number];
  /** Privacy filter on the weight differences. @default none */
  readonly privacy?: Brats18PrivacyOptions;
  /** Execution provider and threads of the sessions. @default cpu */
  readonly engine?: JobInput['engine'];
  /** @default 0 */
  readonly seed?: number;
}

export interface Brats18PhantomOptions {
  /** Training cases of a site. @default 6 */
  readonly casesPerSite?: number;
  /** @default 4 */
  readonly validationCases?: number;
  /** Voxels of a volume. @default 48 48 32 */
  readonly shape?: readonly [number, number, number];
}

/** Total by type. */
const phantomOptions: Readonly<Record<keyof Brats18PhantomOptions, true>> = {
  casesPerSite: true,
  validationCases: true,
  shape: true,
};
const privacyOptions: Readonly<Record<keyof Brats18PrivacyOptions, true>> = {
  mechanism: true,
  fraction: true,
  epsilon: true,
  noiseVar: true,
  gamma: true,
};

/** What differs between the published experiment and the embedded synthetic one, which has to finish within minutes. */
const defaults = {
  real: { rounds: 600, epochs: 1, learningRate: 1e-4, cacheRate: 0, roi: [224, 224, 144], inferRoi: [240, 240, 160] },
  synthetic: { rounds: 7, epochs: 2, learningRate: 2e-3, cacheRate: 1, roi: [32, 32, 32], inferRoi: [64, 64, 32] },
} as const;

/** Federated averaging of a SegResNet over BraTS-like cases, as published. */
export class Brats18Recipe extends Recipe {
  /** @throws ConfigError naming each wrong option. */
  constructor(options: Brats18RecipeOptions = {}) {
    checkOptions('Brats18Recipe', options);
    const { data = {}, privacy = {} } = options;
    if (!('baseDir' in data)) checkKeys('Brats18Recipe, data', data, Object.keys(phantomOptions));
    checkKeys('Brats18Recipe, privacy', privacy, Object.keys(privacyOptions));
    const compiled = compile(options);
    const strategy = strategyOf(options.strategy ?? 'fedavg', options.strategyOptions);
    super({ ...trainingInput(compiled), workflow: { ...strategy, ...roundInput(compiled) } }, 'Brats18Recipe');
  }
}

function compile(options: Brats18RecipeOptions): TrainingRecipeOptions {
  const nClients = options.nClients ?? 4;
  const real = options.data !== undefined && 'baseDir' in options.data;
  const settings = { ...(real ? defaults.real : defaults.synthetic), ...defined(options) };
  return {
    name: options.name ?? `brats18_${nClients}${options.privacy ? '_dp' : ''}`,
    sites: nClients,
    rounds: settings.rounds,
    model: { kind: 'segresnet' },
    trainer: {
      kind: 'segmentation',
      epochs: settings.epochs,
      learningRate: settings.learningRate,
      proximalMu: options.proximalMu ?? 0,
      roi: [...settings.roi],
      inferRoi: [...settings.inferRoi],
    },
    data: dataSpec(options, settings.cacheRate, nClients),
    filters: options.privacy ? [{ at: 'site-out', tasks: ['train'], filter: svtFilter(options.privacy) }] : [],
    ...(options.engine && { engine: options.engine }),
    seed: options.seed ?? 0,
  };
}

function dataSpec(options: Brats18RecipeOptions, cacheRate: number, nClients: number): NonNullable<JobInput['data']> {
  const centralized = nClients === 1;
  const data = options.data ?? {};
  if ('baseDir' in data) return { kind: 'brats18', ...data, cacheRate, centralized };
  const { casesPerSite = 6, validationCases = 4, shape = [48, 48, 32] } = data;
  const seed = options.seed ?? 0;
  return {
    kind: 'brats18-phantom',
    sites: centralized ? 4 : nClients,
    casesPerSite,
    validationCases,
    shape: [...shape],
    seed,
    cacheRate,
    centralized,
  };
}

function svtFilter(privacy: Brats18PrivacyOptions) {
  const { mechanism = 'svt', fraction = 0.9, epsilon = 0.001, noiseVar = 1, gamma = 1e-4 } = privacy;
  return { kind: mechanism, fraction, epsilon, noiseVar, gamma };
}

/** The options that were given, without the absent ones. */
function defined<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}
