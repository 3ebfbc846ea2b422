import { dirname, resolve } from 'node:path';
import { Command } from 'commander';
import { ConfigError } from '../errors';
import { readJobFile } from '../jobs/job-file';
import { PocEnv } from '../runtime/poc-env';
import { wholeNumber } from './flags';
import { runJob } from './run-job';

interface PocFlags {
  readonly nClients?: number;
  readonly workspace: string;
  readonly keep?: boolean;
  readonly json?: boolean;
}

/** `consilium poc <job.yaml>`: a real federation of processes on this machine, for one job. */
export function pocCommand(): Command {
  return new Command('poc')
    .argument('<job.yaml>')
    .option('-n, --n-clients <n>', 'how many sites the job has; only a check', wholeNumber(1))
    .option('--workspace <dir>', 'where the run goes', 'consilium-workspace')
    .option('--keep', 'keep the kits and what each process left')
    .option('--json', 'progress to standard error; one JSON object on standard output at the end, as that of simulate')
    .exitOverride()
    .addHelpText('after', '\nExample:\n  npx consilium poc job.yaml -n 4')
    .action(poc);
}

async function poc(file: string, { nClients, workspace, keep = false, json = false }: PocFlags): Promise<void> {
  const folder = dirname(resolve(file));
  const job = await readJobFile(file, { folder });
  if (nClients !== undefined && nClients !== job.sites.length) {
    throw new ConfigError(`-n is ${nClients}, but the job has ${job.sites.length} sites: ${job.sites.join(', ')}.`, {
      hint: "Give the job's own number, or change `sites` in the job file.",
    });
  }
  await runJob({ job, json, folder, environment: new PocEnv({ workspace, keep }) });
}
