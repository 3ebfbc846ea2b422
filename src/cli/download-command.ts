import type { Command } from 'commander';
import { downloadRun } from '../runtime/admin/download-run';
import { jobIdOf } from './flags';
import { printJson } from './print-json';
import { askingCommand, type KitFlags, withServer } from './with-server';

interface DownloadFlags extends KitFlags {
  readonly out?: string;
}

/** `consilium download <job>`: fetches the files of a run. */
export function downloadCommand(): Command {
  return askingCommand(
    'download',
    '{job, folder, files: [{path, sha256, size}]}',
    'npx consilium download brats18_4-1f0a9c3e --kit out/kits/ada --out results',
  )
    .argument('<job>', 'its id, as `consilium jobs` lists it', jobIdOf)
    .option('--out <dir>', 'where the files go (./<job>)')
    .addHelpText('after', '\nWhat is there already, whole and the same, is not fetched again.')
    .action(async (job: string, flags: DownloadFlags) => {
      const folder = flags.out ?? job;
      const files = await withServer(flags, ({ client, signal }) =>
        downloadRun(client, job, folder, { signal, fetched: flags.json ? () => {} : tell }),
      );
      if (flags.json) printJson({ job, folder, files });
      else process.stdout.write(`${files.length} files of ${job} are in ${folder}\n`);
    });
}

function tell({ path, size }: { readonly path: string; readonly size: number }): void {
  process.stderr.write(`${path}  ${size} bytes\n`);
}
