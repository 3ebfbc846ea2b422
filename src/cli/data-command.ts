import { Command, Option } from 'commander';
import { ConfigError } from '../errors';
import { writeMultiContrastPhantom } from '../imaging/phantom/multi-contrast/write-multi-contrast-phantom';
import { writeBratsPhantom } from '../imaging/phantom/write-brats-phantom';
import { slicesCommand } from './data-slices-command';
import { size3, sizePart, wholeNumber } from './flags';
import { printJson } from './print-json';

interface PhantomFlags {
  readonly kind: 'brats18' | 'multi-contrast';
  readonly out: string;
  readonly sites: number;
  readonly cases?: number;
  readonly validation?: number;
  readonly patients?: number;
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
    .description(
      'Write a synthetic data set: volumes as BraTS 2018 has them, or slices for translation between contrasts.',
    )
    .addOption(
      new Option('--kind <kind>', 'layout and content').choices(['brats18', 'multi-contrast']).default('brats18'),
    )
    .requiredOption('--out <dir>', 'folder to write, new or empty')
    .option('--sites <n>', 'sites with a scanner each', wholeNumber(1), 4)
    .option('--cases <n>', 'brats18: training cases of a site (6)', wholeNumber(1))
    .option('--validation <n>', 'brats18: validation cases, shared by all sites (4)', wholeNumber(1))
    .option('--patients <n>', 'multi-contrast: patients of a site, 75 % of them to train on (10)', wholeNumber(3))
    .addOption(new Option('--shape <n...>', 'voxels X Y Z (64 64 48, or 64 64 24)').argParser(sizePart))
    .option('--seed <n>', 'equal seeds give equal bytes', wholeNumber(0), 0)
    .option('--json', 'one JSON object on standard output')
    .exitOverride()
    .addHelpText(
      'after',
      '\nExample:\n  npx consilium data phantom --kind brats18 --out DIR --cases 6 --shape 64 64 48 --seed 0',
    )
    .action(writePhantom);
}

async function writePhantom(flags: PhantomFlags): Promise<void> {
  const { kind, cases, validation, patients } = flags;
  const foreign = kind === 'brats18' ? { patients } : { cases, validation };
  const [given] = Object.entries(foreign).filter(([, value]) => value !== undefined);
  if (given) {
    throw new ConfigError(`--${given[0]} does not go with --kind ${kind}.`, {
      hint: kind === 'brats18' ? 'Use --cases and --validation.' : 'Use --patients.',
    });
  }
  await (kind === 'brats18' ? writeVolumes(flags) : writeHeads(flags));
}

async function writeVolumes({ out, sites, seed, json, ...flags }: PhantomFlags): Promise<void> {
  const { cases = 6, validation = 4 } = flags;
  const { baseDir, datalistDir } = await writeBratsPhantom({
    out,
    sites,
    casesPerSite: cases,
    validationCases: validation,
    shape: size3('--shape', flags.shape) ?? [64, 64, 48],
    seed,
  });
  if (json) return printJson({ dataset_base_dir: baseDir, datalist_json_path: datalistDir, synthetic: true });
  const text = `A SYNTHETIC data set of ${sites * cases} training and ${validation} validation cases is in ${baseDir}.\nUse it with: --dataset_base_dir ${baseDir} --datalist_json_path ${datalistDir}`;
  process.stdout.write(`${text}\n`);
}

async function writeHeads({ out, sites, patients = 10, shape, seed, json }: PhantomFlags): Promise<void> {
  await writeMultiContrastPhantom({
    out,
    sites,
    patientsPerSite: patients,
    shape: size3('--shape', shape) ?? [64, 64, 24],
    seed,
  });
  if (json) return printJson({ data_dir: out, synthetic: true });
  const text = `A SYNTHETIC data set of ${sites * patients} patients is in ${out}, a folder of slices for each site.\nUse it with: --data_dir ${out}`;
  process.stdout.write(`${text}\n`);
}
