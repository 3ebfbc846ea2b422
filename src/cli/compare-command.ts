import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { writeComparison } from '../runtime/write-comparison';
import { comparisonLines } from './comparison-lines';
import { printJson } from './print-json';

interface CompareFlags {
  readonly out?: string;
  readonly json?: boolean;
}

/** `consilium compare <run folder>...`: several runs in one table and one picture. */
export function compareCommand(): Command {
  return new Command('compare')
    .argument('<run folder...>', '<workspace>/<job name> of each run')
    .option('--out <file>', 'where the page goes; the numbers go beside it as .json', 'comparison.html')
    .option('--json', 'the comparison as one JSON object on standard output')
    .exitOverride()
    .addHelpText(
      'after',
      `\nExample:\n  npx consilium compare ${join('consilium-workspace', 'mri_fedavg')} ${join('consilium-workspace', 'mri_fedbadam')}`,
    )
    .action(compareFolders);
}

/** Compares the runs in `folders`, writes the page and prints the table. */
export async function compareFolders(
  folders: readonly string[],
  { out = 'comparison.html', json = false }: CompareFlags,
): Promise<void> {
  const page = resolve(out);
  const comparison = await writeComparison(folders, page);
  if (json) printJson({ ...comparison, page });
  else process.stdout.write(`${[...comparisonLines(comparison), '', `page  ${page}`].join('\n')}\n`);
}
