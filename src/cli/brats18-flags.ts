/**
 * The command line of the BraTS18 job: the original's flags, and what is ours.
 *
 * @module
 */
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { ConfigError } from '../errors';
import { Brats18Recipe, type Brats18RecipeOptions } from '../recipes/brats18-recipe';
import { realNumber, size3, sizePart, wholeNumber } from './flags';
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
  npx ts-node jobs/brats18.ts --n_clients 4 --enable_dp
      four sites on synthetic data with the privacy filter on: no data needed, a few minutes
  npx ts-node jobs/brats18.ts --n_clients 4 --dataset_base_dir DATA --datalist_json_path LISTS
      the published experiment on BraTS 2018 (600 rounds)
  npx ts-node jobs/brats18.ts --n_clients 1 --dataset_base_dir DATA --datalist_json_path LISTS
      the centralised baseline on site-All.json
  npx ts-node jobs/brats18.ts --n_clients 4 --resume
      continue where a stopped run stands

Exit codes: 0 finished, 1 the run failed, 2 wrong flags, job or data, 130 stopped by Ctrl-C.`;

export interface Brats18Flags extends JobScriptFlags {
  readonly recipe: Brats18Recipe;
}

interface RawFlags extends RawJobScriptFlags {
  readonly n_clients: number;
  readonly num_rounds?: number;
  readonly aggregation_epochs?: number;
  readonly learning_rate?: number;
  readonly fedproxloss_mu: number;
  readonly cache_dataset?: number;
  readonly roi_size?: readonly number[];
  readonly infer_roi_size?: readonly number[];
  readonly dataset_base_dir?: string;
  readonly datalist_json_path?: string;
  readonly enable_dp?: boolean;
  readonly dp_fraction: number;
  readonly dp_epsilon: number;
  readonly dp_noise_var: number;
  readonly dp_gamma: number;
  readonly dp_mechanism: 'svt' | 'svt-nvflare';
}

/** @param argv arguments after the script. @throws ConfigError, and commander's own errors for unknown flags. */
export function readBrats18Flags(argv: readonly string[]): Brats18Flags {
  const command = brats18Command();
  command.parse([...argv], { from: 'user' });
  const flags = command.opts<RawFlags>();
  refuseIdlePrivacyFlags(command, flags);
  return { recipe: new Brats18Recipe(recipeOptions(flags)), ...jobScriptFlags(flags) };
}

/** The flags as a commander command, for parsing and for `--help`. */
export function brats18Command(): Command {
  const description = 'Federated segmentation of brain tumours (BraTS 2018) with a SegResNet.';
  const command = jobScriptCommand('brats18', description, examples);
  addTrainingFlags(command);
  addPrivacyFlags(command);
  return addJobScriptFlags(command, 'brats18_<n>, _dp with the filter');
}

function addTrainingFlags(command: Command): void {
  command
    .addOption(option('--n_clients <n>', 'sites; 1 is the centralised baseline', wholeNumber(1)).default(4))
    .addOption(option('--num_rounds <n>', 'rounds (600; 7 with synthetic data)', wholeNumber(1)))
    .addOption(option('--aggregation_epochs <n>', 'epochs in a round (1; 2 with synthetic data)', wholeNumber(1)))
    .addOption(option('--learning_rate <rate>', 'of Adam (1e-4; 2e-3 with synthetic data)', realNumber({ least: 0 })))
    .addOption(option('--fedproxloss_mu <mu>', 'FedProx term', realNumber({ least: 0, orEqual: true })).default(0))
    .addOption(
      option(
        '--cache_dataset <rate>',
        'share of cases kept in memory (0; 1 with synthetic data)',
        realNumber({ least: 0, orEqual: true, most: 1 }),
      ),
    )
    .addOption(option('--roi_size <n...>', 'training crop X Y Z (224 224 144; 32 32 32 with synthetic data)', sizePart))
    .addOption(
      option('--infer_roi_size <n...>', 'window X Y Z at validation (240 240 160; 64 64 32 synthetic)', sizePart),
    )
    .option('--dataset_base_dir <dir>', 'folder that the paths in the data lists start from')
    .option('--datalist_json_path <dir>', 'folder of the data lists site-1.json, …, site-All.json');
}

function addPrivacyFlags(command: Command): void {
  command
    .option('--enable_dp', 'filter the weight differences by the sparse vector technique')
    .addOption(option('--dp_fraction <q>', 'share of weights released', realNumber({ least: 0, most: 1 })).default(0.9))
    .addOption(option('--dp_epsilon <e>', 'budget of the selection', realNumber({ least: 0 })).default(0.001))
    .addOption(option('--dp_noise_var <v>', 'ε of one released weight', realNumber({ least: 0 })).default(1))
    .addOption(option('--dp_gamma <g>', 'clipping bound per step', realNumber({ least: 0 })).default(1e-4))
    .addOption(
      new Option('--dp_mechanism <kind>', "svt, or NVFlare 2.7's variant (not differentially private)")
        .choices(['svt', 'svt-nvflare'])
        .default('svt'),
    );
}

/** @throws ConfigError for a privacy flag without the filter: whoever sets one expects protection. */
function refuseIdlePrivacyFlags(command: Command, flags: RawFlags): void {
  if (flags.enable_dp) return;
  const names = ['dp_fraction', 'dp_epsilon', 'dp_noise_var', 'dp_gamma', 'dp_mechanism'];
  const idle = names.filter((name) => command.getOptionValueSource(name) === 'cli');
  if (idle.length === 0) return;
  throw new ConfigError(`--${idle.join(', --')} has no effect without --enable_dp.`, {
    hint: 'Add --enable_dp to turn the filter on, or leave the flag out.',
  });
}

function recipeOptions(flags: RawFlags): Brats18RecipeOptions {
  const roi = size3('--roi_size', flags.roi_size);
  const inferRoi = size3('--infer_roi_size', flags.infer_roi_size);
  const options: { [K in keyof Brats18RecipeOptions]: Brats18RecipeOptions[K] | undefined } = {
    name: flags.job_name,
    nClients: flags.n_clients,
    data: realData(flags),
    rounds: flags.num_rounds,
    epochs: flags.aggregation_epochs,
    learningRate: flags.learning_rate,
    proximalMu: flags.fedproxloss_mu,
    cacheRate: flags.cache_dataset,
    roi,
    inferRoi,
    privacy: flags.enable_dp ? privacyOf(flags) : undefined,
    engine: flags.gpu === undefined ? undefined : { provider: parseProvider(flags.gpu) },
    seed: flags.seed,
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function privacyOf(flags: RawFlags): NonNullable<Brats18RecipeOptions['privacy']> {
  return {
    mechanism: flags.dp_mechanism,
    fraction: flags.dp_fraction,
    epsilon: flags.dp_epsilon,
    noiseVar: flags.dp_noise_var,
    gamma: flags.dp_gamma,
  };
}

/** Both folders or none: with one of them the user has real data in mind. */
function realData(flags: RawFlags): { baseDir: string; datalistDir: string } | undefined {
  const { dataset_base_dir: baseDir, datalist_json_path: datalistDir } = flags;
  // A job is run from other folders too: after --export, and by --resume.
  if (baseDir !== undefined && datalistDir !== undefined) {
    return { baseDir: resolve(baseDir), datalistDir: resolve(datalistDir) };
  }
  if (baseDir === undefined && datalistDir === undefined) return undefined;
  throw new ConfigError(
    `${baseDir === undefined ? '--dataset_base_dir' : '--datalist_json_path'} is missing: real data need both folders.`,
    { hint: 'Give both, or neither for the synthetic data set.' },
  );
}
