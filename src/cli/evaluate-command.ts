import { join } from 'node:path';
import { Command, Option } from 'commander';
import { ConfigError } from '../errors';
import { contrastsOf, normalisations } from '../jobs/contrasts';
import { type EvaluationResult, evaluateModel } from '../runtime/evaluate-model';
import { evaluateTranslation, isTranslationRun } from '../runtime/evaluate-translation';
import { counted } from '../util/counted';
import { size3, sizePart, wholeNumber } from './flags';
import { printJson } from './print-json';
import { parseProvider } from './provider-flag';
import { translationTable } from './translation-table';

interface EvaluateFlags {
  readonly model: string;
  readonly dataset_base_dir?: string;
  readonly datalist_json_path?: string;
  readonly list: 'validation' | 'testing' | 'training';
  readonly infer_roi_size?: readonly number[];
  readonly masks?: string;
  readonly data_dir?: string;
  readonly sites?: readonly string[];
  readonly translation?: string;
  readonly slice_scaling?: (typeof normalisations)[number];
  readonly split: 'validation' | 'test';
  readonly personal?: boolean;
  readonly predictions?: string;
  readonly threads?: number;
  readonly gpu?: string;
  readonly json?: boolean;
}

/** `consilium evaluate`: the original's test table and the predicted masks, or the scores of translated slices. */
export function evaluateCommand(): Command {
  const command = new Command('evaluate').requiredOption(
    '--model <file>',
    'a .safetensors, .pt or .pth file: the network of the run that it lies in; else the BraTS18 SegResNet, or the translation U-Net with --data_dir',
  );
  return addTranslationFlags(addSegmentationFlags(command))
    .option('--threads <n>', 'threads of the network (as many as cores)', wholeNumber(1))
    .option('--gpu <which>', 'execution provider: webgpu, cuda, cuda:1 or 0')
    .option('--json', 'one JSON object on standard output')
    .exitOverride()
    .addHelpText('after', examples)
    .action(evaluate);
}

const examples = `
Examples:
  npx consilium evaluate --model best_FL_global_model.pt --dataset_base_dir DATA --datalist_json_path LISTS
  npx consilium evaluate --model WORKSPACE/mri_fedbadam/server/simulate_job/app_server/FL_global_model.pt --personal
      each site's own model on its own test slices`;

function addSegmentationFlags(command: Command): Command {
  return command
    .option('--dataset_base_dir <dir>', 'segmentation: folder that the paths in the data list start from')
    .option('--datalist_json_path <path>', 'segmentation: a data list, or a folder with site-All.json')
    .addOption(
      new Option('--list <key>', 'list to score').choices(['validation', 'testing', 'training']).default('validation'),
    )
    .addOption(
      new Option(
        '--infer_roi_size <n...>',
        'window X Y Z (that of the run that the model lies in, else 240 240 160)',
      ).argParser(sizePart),
    )
    .option('--masks <dir>', 'where the predicted masks go (<model folder>/predictions)');
}

function addTranslationFlags(command: Command): Command {
  return command
    .option('--data_dir <dir>', "translation: folder of slices, '{site}' in it standing for a site (that of the run)")
    .option('--sites <name...>', 'translation: the sites to score at (those of the run)')
    .option('--translation <source:target>', 'translation: contrasts (those of the run, else T1:T2)')
    .addOption(
      new Option('--slice_scaling <kind>', 'translation: what intensities are divided by (as in the run)').choices([
        ...normalisations,
      ]),
    )
    .addOption(
      new Option('--split <name>', 'translation: slices to score').choices(['validation', 'test']).default('test'),
    )
    .option('--personal', "translation: each site's own model in the place of the global one")
    .option('--predictions <dir>', 'translation: where the predicted slices go, as <site>/<slice>.npy (nowhere)');
}

async function evaluate(flags: EvaluateFlags): Promise<void> {
  const translates = flags.data_dir !== undefined || (await isTranslationRun(flags.model));
  const warning = translates ? await translation(flags) : await segmentation(flags);
  if (warning !== undefined) process.stderr.write(`warning: ${warning}\n`);
}

const onWarnings = (warnings: readonly string[]) => {
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
};

async function translation(flags: EvaluateFlags): Promise<string | undefined> {
  const result = await evaluateTranslation({
    modelFile: flags.model,
    personal: flags.personal ?? false,
    dataDir: flags.data_dir,
    sites: flags.sites,
    contrasts: flags.translation === undefined ? undefined : contrastsOf(flags.translation),
    normalisation: flags.slice_scaling,
    split: flags.split,
    provider: flags.gpu === undefined ? 'cpu' : parseProvider(flags.gpu),
    predictions: flags.predictions,
    threads: flags.threads,
    onSlice: (site, done, total) => {
      if (done === total) process.stderr.write(`${site}: ${counted(total, 'slice')}\n`);
    },
    onWarnings,
  });
  if (flags.json) printJson(result);
  else process.stdout.write(`${translationTable(result).join('\n')}\n`);
  return result.warning;
}

/** @throws ConfigError when one of the two paths is missing. */
function listed({ dataset_base_dir: baseDir, datalist_json_path: lists }: EvaluateFlags) {
  if (baseDir !== undefined && lists !== undefined) {
    return { baseDir, datalist: lists.endsWith('.json') ? lists : join(lists, 'site-All.json') };
  }
  const missing = baseDir === undefined ? '--dataset_base_dir' : '--datalist_json_path';
  throw new ConfigError(`${missing} is missing: a segmentation network is scored on the cases of a data list.`, {
    hint: 'Give both paths; or --data_dir for a translation network outside its run.',
  });
}

async function segmentation(flags: EvaluateFlags): Promise<string | undefined> {
  const result = await evaluateModel({
    modelFile: flags.model,
    ...listed(flags),
    list: flags.list,
    inferRoi: size3('--infer_roi_size', flags.infer_roi_size),
    onCase: (name, done, total) => process.stderr.write(`${done}/${total} ${name}\n`),
    onWarnings,
    provider: flags.gpu === undefined ? 'cpu' : parseProvider(flags.gpu),
    ...(flags.masks !== undefined && { masks: flags.masks }),
    ...(flags.threads !== undefined && { threads: flags.threads }),
  });
  if (flags.json) printJson(result);
  else process.stdout.write(table(result));
  return result.warning;
}

/** The table of the original's test script. */
function table({ overall, regions, inferRoi, masks }: EvaluationResult): string {
  const row = (name: string, dice: number | null, count: number) =>
    `${name.padEnd(14)} ${dice === null ? '     –' : dice.toFixed(4)}   Valid count: ${count}`;
  const rows = [
    row('Test Dice', overall.dice, overall.count),
    ...regions.map(({ name, dice, count }) => row(`Test Dice ${name.toUpperCase()}`, dice, count)),
    `Windows of ${inferRoi.join('×')}; masks in ${masks}`,
  ];
  return `${rows.join('\n')}\n`;
}
