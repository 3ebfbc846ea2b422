import { Command, Option } from 'commander';
import { MOST_DARK } from '../imaging/slices/kept-slices';
import { type Contrast, contrasts, splits } from '../imaging/slices/layout';
import { writeSlices } from '../imaging/slices/write-slices';
import { counted } from '../util/counted';
import { realNumber, wholeNumber } from './flags';
import { printJson } from './print-json';

interface SlicesFlags {
  readonly from: string;
  readonly out: string;
  readonly contrasts?: readonly Contrast[];
  readonly masks: boolean;
  readonly maxDark: number;
  readonly patients?: number;
  readonly json?: boolean;
}

/** `consilium data slices`. */
export function slicesCommand(): Command {
  return new Command('slices')
    .description('Cut NIfTI volumes of heads into axial slices for translation between contrasts, split by patient.')
    .requiredOption('--from <dir>', 'folder of <patient>_t1.nii.gz, <patient>_t2.nii.gz, …, or of t1/, t2/, …')
    .requiredOption('--out <dir>', 'folder to write, new or empty: one for each site')
    .addOption(new Option('--contrasts <name...>', 'which to write (those that are there)').choices(contrasts))
    .option('--no-masks', 'leave masks of tumours out')
    .option(
      '--max-dark <share>',
      'keep a slice when less than this share of T1 is dark',
      realNumber({ least: 0, most: 1 }),
      MOST_DARK,
    )
    .option('--patients <n>', 'only the first n patients, by name', wholeNumber(3))
    .option('--json', 'one JSON object on standard output')
    .exitOverride()
    .addHelpText(
      'after',
      '\nWrites OUT/{train,validation,test}/{t1,t2,flair,mask}/patient-<id>-slice<n>.npy: 75 % of the patients, 10 % and the rest.\n\nExample:\n  npx consilium data slices --from brats/HGG --out data/hgg',
    )
    .action(cutSlices);
}

async function cutSlices({ from, out, masks, maxDark, json, ...flags }: SlicesFlags): Promise<void> {
  const written = await writeSlices({
    from,
    out,
    mostDark: maxDark,
    ...(flags.contrasts && { contrasts: flags.contrasts }),
    ...(!masks && { masks }),
    ...(flags.patients !== undefined && { patients: flags.patients }),
    onPatient: (done, of, patient) => {
      if (process.stderr.isTTY) process.stderr.write(`${done} of ${of}: ${patient}\n`);
    },
  });
  if (json) return printJson({ data_dir: out, ...written });
  const lines = splits.map((split) => {
    const { patients, slices } = written.splits[split];
    return `${split}: ${counted(slices, 'slice')} of ${counted(patients, 'patient')}`;
  });
  const what = [...written.contrasts, ...(written.masks ? ['mask'] : [])].join(', ');
  process.stdout.write(`Slices in ${what} are in ${out}.\n${lines.join('\n')}\n`);
}
