import { dirname, resolve } from 'node:path';
import { Command } from 'commander';
import { readJobFile } from '../jobs/job-file';
import { SimEnv } from '../runtime/sim-env';
import { wholeNumber } from './flags';
import { runJob } from './run-job';
import { shellWord } from './shell-word';

interface SimulateFlags {
  readonly workspace?: string;
  readonly threads?: number;
  readonly resume?: boolean;
  readonly json?: boolean;
}

/** `consilium simulate <job.yaml>`: runs a job file on this machine. */
export function simulateCommand(): Command {
  return new Command('simulate')
    .argument('<job.yaml>')
    .option('--workspace <dir>', 'where runs and synthetic data go (./consilium-workspace)')
    .option('--threads <n>', 'sites that train at the same time (as many as cores)', wholeNumber(1))
    .option('--resume', 'continue the run of this name')
    .option('--json', 'progress to standard error, one JSON object to standard output')
    .exitOverride()
    .addHelpText('after', '\nExample:\n  npx consilium simulate job.yaml --threads 2')
    .action(async (file: string, flags: SimulateFlags) => {
      const { workspace, threads, resume = false, json = false } = flags;
      await runJob({
        job: await readJobFile(file, { folder: dirname(resolve(file)) }),
        folder: dirname(resolve(file)),
        json,
        resumeCommand: ['npx consilium simulate', shellWord(file), ...sameFlags(flags), '--resume'].join(' '),
        environment: new SimEnv({
          resume,
          ...(workspace !== undefined && { workspace }),
          ...(threads !== undefined && { threads }),
        }),
      });
    });
}

function sameFlags({ workspace, threads }: Pick<SimulateFlags, 'workspace' | 'threads'>): string[] {
  return [
    ...(workspace === undefined ? [] : [`--workspace ${shellWord(workspace)}`]),
    ...(threads === undefined ? [] : [`--threads ${threads}`]),
  ];
}
