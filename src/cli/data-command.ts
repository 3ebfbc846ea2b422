import { Command, Option } from 'commander';
import { writeBratsPhantom } from '../imaging/phantom/write-brats-phantom';
import { slicesCommand } from './data-slices-command';
import { size3, sizePart, wholeNumber } from './flags';
import { printJson } from './print-json';

interface PhantomFlags {
  readonly out: string;
  readonly sites: number;
  readonly cases: number;
  readonly validation: number;
  readonly shape?: readonly number[];
  readonly seed: number;
  readonly json?: boolean;
}

/** `consilium data …`: data sets. */
export function dataCommand(): Command {
  return new Command('data').addCommand(phantomCommand()).addCommand(slicesCommand());
}

function phantomCommand(): Command {
  return new Command('phantom')
    .description('Write a synthetic data set in the layout of BraTS 2018, with its data lists.')
    .addOption(new Option('--kind <kind>', 'layout and content').choices(['brats18']).default('brats18'))
    .requiredOption('--out <dir>', 'folder to write, new or empty')
    .option('--sites <n>', 'sites with a data list each', wholeNumber(1), 4)
    .option('--cases <n>', 'training cases of a site', wholeNumber(1), 6)
    .option('--validation <n>', 'validation cases, shared by all sites', wholeNumber(1), 4)
    .addOption(new Option('--shape <n...>', 'voxels X Y Z (64 64 48)').argParser(sizePart))
    .option('--seed <n>', 'equal seeds give equal bytes', wholeNumber(0), 0)
    .option('--json', 'one JSON object on standard output')
    .exitOverride()
    .addHelpText(
      'after',
      '\nExample:\n  npx consilium data phantom --kind brats18 --out DIR --cases 6 --shape 64 64 48 --seed 0',
    )
    .action(writePhantom);
}

async function writePhantom({ out, sites, cases, validation, shape, seed, json }: PhantomFlags): Promise<void> {
  const { baseDir, datalistDir } = await writeBratsPhantom({
    out,
    sites,
    casesPerSite: cases,
    validationCases: validation,
    shape: size3('--shape', shape) ?? [64, 64, 48],
    seed,
  });
  if (json) return printJson({ dataset_base_dir: baseDir, datalist_json_path: datalistDir, synthetic: true });
  const text = `A SYNTHETIC data set of ${sites * cases} training and ${validation} validation cases is in ${baseDir}.\nUse it with: --dataset_base_dir ${baseDir} --datalist_json_path ${datalistDir}`;
  process.stdout.write(`${text}\n`);
}
