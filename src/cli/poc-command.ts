import { dirname, resolve } from 'node:path';
import { Command } from 'commander';
import { readJobFile } from '../jobs/job-file';
import { PocEnv } from '../runtime/poc-env';
import { wholeNumber } from './flags';
import { runJob } from './run-job';

interface PocFlags {
  readonly sites?: number;
  readonly workspace?: string;
  readonly include?: readonly string[];
  readonly keep?: boolean;
  readonly json?: boolean;
}

/** `consilium poc <job.yaml>`: a real federation of processes on this machine, for one job. */
export function pocCommand(): Command {
  return new Command('poc')
    .argument('<job.yaml>')
    .option('-n, --sites <n>', "how many of the job's sites take part, the first of them (all)", wholeNumber(1))
    .option('--workspace <dir>', 'where the run and synthetic data go (./consilium-workspace)')
    .option('--include <file...>', "more files for the sites, from the job's folder: what scripts import themselves")
    .option('--keep', 'keep the kits and what each process left, and say where')
    .option('--json', 'progress to standard error; one JSON object on standard output at the end, as that of simulate')
    .exitOverride()
    .addHelpText(
      'after',
      `
Example:
  npx consilium poc job.yaml -n 4

Makes kits in a temporary folder, starts a server and a process for each site, submits the job, and fetches what it leaves.
The sites take the code of this job, by its hashes. All processes have ended when the command ends.`,
    )
    .action(async (file: string, { json = false, ...options }: PocFlags) => {
      const folder = dirname(resolve(file));
      const job = await readJobFile(file, { folder });
      await runJob({ job, json, folder, environment: new PocEnv(options) });
    });
}
