import { join } from 'node:path';
import { Command, Option } from 'commander';
import { type EvaluationResult, evaluateModel } from '../runtime/evaluate-model';
import { size3, sizePart, wholeNumber } from './flags';
import { printJson } from './print-json';
import { parseProvider } from './provider-flag';

interface EvaluateFlags {
  readonly model: string;
  readonly dataset_base_dir: string;
  readonly datalist_json_path: string;
  readonly list: 'validation' | 'testing' | 'training';
  readonly infer_roi_size?: readonly number[];
  readonly masks?: string;
  readonly threads?: number;
  readonly gpu?: string;
  readonly json?: boolean;
}

/** `consilium evaluate`: the original's test table, and the predicted masks. */
export function evaluateCommand(): Command {
  return new Command('evaluate')
    .requiredOption(
      '--model <file>',
      'a .safetensors, .pt or .pth file: the network of the run that it lies in, else the BraTS18 SegResNet',
    )
    .requiredOption('--dataset_base_dir <dir>', 'folder that the paths in the data list start from')
    .requiredOption('--datalist_json_path <path>', 'a data list, or a folder with site-All.json')
    .addOption(
      new Option('--list <key>', 'list to score').choices(['validation', 'testing', 'training']).default('validation'),
    )
    .addOption(
      new Option(
        '--infer_roi_size <n...>',
        'window X Y Z (that of the run that the model lies in, else 240 240 160)',
      ).argParser(sizePart),
    )
    .option('--masks <dir>', 'where the predicted masks go (<model folder>/predictions)')
    .option('--threads <n>', 'threads of the network (as many as cores)', wholeNumber(1))
    .option('--gpu <which>', 'execution provider: webgpu, cuda, cuda:1 or 0')
    .option('--json', 'one JSON object on standard output')
    .exitOverride()
    .addHelpText(
      'after',
      '\nExample:\n  npx consilium evaluate --model best_FL_global_model.pt --dataset_base_dir DATA --datalist_json_path LISTS',
    )
    .action(evaluate);
}

async function evaluate(flags: EvaluateFlags): Promise<void> {
  const result = await evaluateModel({
    modelFile: flags.model,
    baseDir: flags.dataset_base_dir,
    datalist: flags.datalist_json_path.endsWith('.json')
      ? flags.datalist_json_path
      : join(flags.datalist_json_path, 'site-All.json'),
    list: flags.list,
    inferRoi: size3('--infer_roi_size', flags.infer_roi_size),
    onCase: (name, done, total) => process.stderr.write(`${done}/${total} ${name}\n`),
    onWarnings: (warnings) => {
      for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
    },
    provider: flags.gpu === undefined ? 'cpu' : parseProvider(flags.gpu),
    ...(flags.masks !== undefined && { masks: flags.masks }),
    ...(flags.threads !== undefined && { threads: flags.threads }),
  });
  if (flags.json) printJson(result);
  else process.stdout.write(table(result));
  if (result.warning !== undefined) process.stderr.write(`warning: ${result.warning}\n`);
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
