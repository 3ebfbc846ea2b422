/**
 * The command line of the MRI translation job.
 *
 * @module
 */
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { ConfigError } from '../errors';
import { normalisations } from '../jobs/contrasts';
import { MriTranslationRecipe, type MriTranslationRecipeOptions } from '../recipes/mri-translation-recipe';
import {
  type StrategyName,
  type StrategyOptions,
  strategyNames,
  strategyTakes,
  tenStrategies,
} from '../recipes/strategies';
import { realNumber, wholeNumber } from './flags';
import {
  addJobScriptFlags,
  type JobScriptFlags,
  jobScriptCommand,
  jobScriptFlags,
  option,
  type RawJobScriptFlags,
} from './job-script-flags';
import { parseProvider } from './provider-flag';

const examples = `
Examples:
  npx ts-node jobs/mri-translation.ts --strategy fedbadam --translation T1:T2 --n_clients 4
      four sites with a scanner each on synthetic heads: no data needed, a few minutes
  npx ts-node jobs/mri-translation.ts --strategy all
      the ten strategies of the published comparison, one after another
  npx ts-node jobs/mri-translation.ts --centralized
      the baseline: one site with the slices of all
  npx ts-node jobs/mri-translation.ts --strategy fedbn --data_dir DATA --n_clients 6
      slices in DATA/site-1/{train,validation,test}/{t1,t2,flair,mask}, … (32 rounds)

Exit codes: 0 finished, 1 a run failed, 2 wrong flags, job or data, 130 stopped by Ctrl-C.`;

export interface MriTranslationFlags extends JobScriptFlags {
  /** One a strategy, in the order in which they run. */
  readonly recipes: readonly [MriTranslationRecipe, ...MriTranslationRecipe[]];
}

interface RawFlags extends RawJobScriptFlags {
  readonly strategy?: StrategyName | 'all';
  readonly translation: string;
  readonly n_clients?: number;
  readonly sites?: readonly string[];
  readonly n_rounds?: number;
  readonly n_epochs?: number;
  readonly batch_size?: number;
  readonly learning_rate?: number;
  readonly base?: number;
  readonly normalization: 'BN' | 'GN' | 'NONE';
  readonly slice_scaling?: MriTranslationRecipeOptions['normalisation'];
  readonly loss?: keyof typeof losses;
  readonly proximal_mu?: number;
  readonly server_learning_rate?: number;
  readonly faulty?: number;
  readonly radius?: number;
  readonly max_norm?: number;
  readonly seed_exact?: boolean;
  readonly centralized?: boolean;
  readonly test_metrics?: boolean;
  readonly cache_dataset?: number;
  readonly data_dir?: string;
}

/** SSIM as torchmetrics computes it in the published job. */
const dssim = { dataRange: 'batch', border: 'reflect', clampVariance: true } as const;

/** By the names of the published job. */
const losses = {
  MSE_DSSIM: { kind: 'mse-dssim', dssim },
  RMSE_DSSIM: { kind: 'rmse-dssim', dssim },
  MSE: { kind: 'mse' },
  L1: { kind: 'l1' },
  DSSIM: { kind: 'dssim', ...dssim },
} as const satisfies Record<string, MriTranslationRecipeOptions['loss']>;

const norms = { BN: 'batch', GN: 'group', NONE: 'none' } as const;

/** @param argv arguments after the script. @throws ConfigError, and commander's own errors for unknown flags. */
export function readMriTranslationFlags(argv: readonly string[]): MriTranslationFlags {
  const command = mriTranslationCommand();
  command.parse([...argv], { from: 'user' });
  const flags = command.opts<RawFlags>();
  refuseContradictions(flags);
  const [first, ...others] = strategiesOf(flags).map(
    (strategy) => new MriTranslationRecipe(recipeOptions(flags, strategy)),
  );
  return { recipes: [first!, ...others], ...jobScriptFlags(flags) };
}

/** The flags as a commander command, for parsing and for `--help`. */
export function mriTranslationCommand(): Command {
  const description = 'Federated translation between MRI contrasts with a U-Net, by ten strategies and more.';
  const command = jobScriptCommand('mri-translation', description, examples);
  addStrategyFlags(command);
  addTrainingFlags(command);
  return addJobScriptFlags(command, 'mri_<strategy>, mri_centralized; before _<strategy> with --strategy all');
}

function addStrategyFlags(command: Command): void {
  command
    .addOption(
      new Option('--strategy <name>', 'how the sites learn from each other; all: the ten, one after another').choices([
        ...strategyNames,
        'all',
      ]),
    )
    .option('--translation <source:target>', 'contrasts: T1, T2 and FLAIR', 'T1:T2')
    .addOption(option('--n_clients <n>', 'sites (4)', wholeNumber(1)))
    .option('--sites <name...>', 'their names (site-1, site-2, …)')
    .option('--centralized', 'the baseline: one site with the slices of all')
    .addOption(option('--proximal_mu <mu>', 'of FedProx (0.001)', realNumber({ least: 0, orEqual: true })))
    .addOption(
      option(
        '--server_learning_rate <rate>',
        "of the server's optimiser (FedAdam 0.1; 0.01 with synthetic data)",
        realNumber({ least: 0 }),
      ),
    )
    .addOption(option('--faulty <n>', 'sites that Krum, multi-Krum and Bulyan withstand (1)', wholeNumber(0)))
    .addOption(
      option('--radius <r>', 'of centred clipping, which needs it: how far a site can pull', realNumber({ least: 0 })),
    )
    .addOption(
      option('--max_norm <c>', 'of norm clipping, which needs it: how long an update can be', realNumber({ least: 0 })),
    )
    .option('--seed_exact', "the published code's numbers where they differ from the papers'");
}

function addTrainingFlags(command: Command): void {
  command
    .addOption(option('--n_rounds <n>', 'rounds (32; 20 with synthetic data)', wholeNumber(1)))
    .addOption(option('--n_epochs <n>', 'epochs in a round (4; 2 with synthetic data)', wholeNumber(1)))
    .addOption(option('--batch_size <n>', 'slices of a step (32; 8 with synthetic data)', wholeNumber(1)))
    .addOption(option('--learning_rate <rate>', 'of Adam (1e-3; 1e-2 with synthetic data)', realNumber({ least: 0 })))
    .addOption(option('--base <n>', "channels of the U-Net's first level (64; 8 synthetic)", wholeNumber(1)))
    .addOption(new Option('--normalization <kind>', 'layers of the U-Net').choices(Object.keys(norms)).default('BN'))
    .addOption(new Option('--loss <kind>', 'what training minimises (MSE_DSSIM)').choices(Object.keys(losses)))
    .addOption(
      new Option('--slice_scaling <kind>', 'what intensities are divided by (slice-max)').choices([...normalisations]),
    )
    .option('--test_metrics', 'score the test slices in every round too')
    .addOption(
      option(
        '--cache_dataset <rate>',
        'share of slices kept in memory (0; 1 with synthetic data)',
        realNumber({ least: 0, orEqual: true, most: 1 }),
      ),
    )
    .option('--data_dir <dir>', "folder with a folder of slices for each site; or a path with '{site}' in it");
}

function refuseContradictions(flags: RawFlags): void {
  if (flags.centralized && flags.strategy !== undefined) {
    throw new ConfigError('--centralized trains one site, so --strategy has no effect.', {
      hint: 'Leave one of them out.',
    });
  }
  refuseIdleFlags(flags);
  if (flags.n_clients !== undefined && flags.sites !== undefined && flags.n_clients !== flags.sites.length) {
    throw new ConfigError(`--n_clients is ${flags.n_clients}, but --sites names ${flags.sites.length} sites.`);
  }
  if (flags.sites !== undefined && flags.data_dir === undefined) {
    throw new ConfigError('--sites names the folders of --data_dir, which is missing.', {
      hint: 'The sites of the synthetic data are site-1, site-2, …: give --n_clients.',
    });
  }
  if (flags.strategy === 'all' && flags.export !== undefined) {
    throw new ConfigError('--export writes one job, but --strategy all is ten.', { hint: 'Name a strategy.' });
  }
}

function strategiesOf({ strategy, centralized }: RawFlags): readonly (StrategyName | undefined)[] {
  if (centralized) return [undefined];
  return strategy === 'all' ? tenStrategies : [strategy ?? 'fedavg'];
}

function recipeOptions(flags: RawFlags, strategy: StrategyName | undefined): MriTranslationRecipeOptions {
  const name = flags.job_name;
  const options: { [K in keyof MriTranslationRecipeOptions]: MriTranslationRecipeOptions[K] | undefined } = {
    name: name !== undefined && flags.strategy === 'all' ? `${name}_${strategy}` : name,
    strategy,
    strategyOptions: strategy && strategyOptions(flags, strategy),
    seedExact: flags.seed_exact,
    translation: flags.translation,
    nClients: flags.sites ?? flags.n_clients,
    centralized: flags.centralized,
    data: flags.data_dir === undefined ? undefined : { path: pathOfSites(flags.data_dir) },
    normalisation: flags.slice_scaling,
    cacheRate: flags.cache_dataset,
    rounds: flags.n_rounds,
    epochs: flags.n_epochs,
    batchSize: flags.batch_size,
    learningRate: flags.learning_rate,
    base: flags.base,
    norm: norms[flags.normalization],
    loss: flags.loss && losses[flags.loss],
    testMetrics: flags.test_metrics,
    engine: flags.gpu === undefined ? undefined : { provider: parseProvider(flags.gpu) },
    seed: flags.seed,
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** What tells a strategy something. */
const strategyFlags = {
  proximal_mu: 'mu',
  server_learning_rate: 'serverLearningRate',
  faulty: 'faulty',
  radius: 'radius',
  max_norm: 'maxNorm',
} as const satisfies { readonly [F in keyof RawFlags]?: keyof StrategyOptions };

/** Those that are given, with the option that each is. */
function givenStrategyFlags(flags: RawFlags) {
  const all = Object.entries(strategyFlags) as [keyof typeof strategyFlags, keyof StrategyOptions][];
  return all.flatMap(([flag, name]) => (flags[flag] === undefined ? [] : [{ flag, name, value: flags[flag] }]));
}

/** Without a strategy, or with the ten, a flag may be of none; with one strategy, the strategy itself refuses it. */
function refuseIdleFlags(flags: RawFlags): void {
  const { centralized = false, strategy } = flags;
  if (!centralized && strategy !== 'all') return;
  const taken = centralized ? [] : tenStrategies.flatMap(strategyTakes);
  const idle = givenStrategyFlags(flags).find(({ name }) => !taken.includes(name));
  if (!idle) return;
  const why = centralized ? 'the centralised baseline has no strategy' : 'none of the ten strategies takes it';
  throw new ConfigError(`--${idle.flag} has no effect: ${why}.`, { hint: 'Leave it out, or name its strategy.' });
}

/** With --strategy all a flag goes to the strategies that take it. */
function strategyOptions(flags: RawFlags, strategy: StrategyName): StrategyOptions {
  const taken = givenStrategyFlags(flags).filter(
    ({ name }) => flags.strategy !== 'all' || strategyTakes(strategy).includes(name),
  );
  return Object.fromEntries(taken.map(({ name, value }) => [name, value]));
}

/** A job is run from other folders too: after --export, and by --resume. */
function pathOfSites(folder: string): string {
  return resolve(folder.includes('{site}') ? folder : `${folder}/{site}`);
}
