import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { ConfigError } from '../errors';
import { jobFromYaml } from '../jobs/job-yaml';
import { wholeNumber } from './flags';
import { runJob, shellWord } from './run-job';

interface SimulateFlags {
  readonly workspace?: string;
  readonly threads?: number;
  readonly resume?: boolean;
  readonly json?: boolean;
}

/** `consilium simulate <job.yaml>`: runs a job file on this machine. */
export function simulateCommand(): Command {
  return new Command('simulate')
    .description('Run a job file on this machine.')
    .argument('<job.yaml>')
    .option('--workspace <dir>', 'where runs and synthetic data go (./consilium-workspace)')
    .option('--threads <n>', 'sites that train at the same time (as many as cores)', wholeNumber(1))
    .option('--resume', 'continue the run of this name')
    .option('--json', 'progress to standard error, one JSON object to standard output')
    .exitOverride()
    .addHelpText('after', '\nExample:\n  npx consilium simulate job.yaml --threads 2')
    .action(async (file: string, flags: SimulateFlags) => {
      const { workspace, threads, resume = false, json = false } = flags;
      const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
        throw new ConfigError(`The job file '${file}' cannot be read (${cause.code}).`, { cause });
      });
      await runJob({
        job: jobFromYaml(text, file),
        json,
        resume,
        resumeCommand: ['npx consilium simulate', shellWord(file), ...sameFlags(flags), '--resume'].join(' '),
        ...(workspace !== undefined && { workspace }),
        ...(threads !== undefined && { threads }),
      });
    });
}

function sameFlags({ workspace, threads }: Pick<SimulateFlags, 'workspace' | 'threads'>): string[] {
  return [
    ...(workspace === undefined ? [] : [`--workspace ${shellWord(workspace)}`]),
    ...(threads === undefined ? [] : [`--threads ${threads}`]),
  ];
}
