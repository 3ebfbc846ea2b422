/**
 * Federated segmentation of brain tumours, optionally with the sparse-vector privacy filter.
 *
 *     npx ts-node jobs/brats18.ts --n_clients 4 --enable_dp
 */
import { readBrats18Flags } from '../src/cli/brats18-flags';
import { runCommand } from '../src/cli/exit';
import { exportedLine } from '../src/cli/exported-line';
import { shellWord } from '../src/cli/shell-word';
import { exportJob } from '../src/jobs/export-job';
import { SimEnv } from '../src/runtime/sim-env';

/** Loaded when the flags are in order, because it loads the engine: `--help` answers at once. */
function runner(): typeof import('../src/cli/run-job') {
  return require('../src/cli/run-job');
}

async function main(argv: readonly string[]): Promise<void> {
  const { recipe, exportTo, workspace, threads, resume, json } = readBrats18Flags(argv);
  if (exportTo !== undefined) {
    process.stdout.write(exportedLine(await exportJob(recipe.job, exportTo)));
    return;
  }
  const flags = argv
    .filter((flag) => flag !== '--resume')
    .map(shellWord)
    .join(' ');
  await runner().runJob({
    job: recipe.job,
    json,
    resumeCommand: `npx ts-node jobs/brats18.ts ${flags} --resume`,
    environment: new SimEnv({
      resume,
      ...(workspace !== undefined && { workspace }),
      ...(threads !== undefined && { threads }),
    }),
  });
}

void runCommand(() => main(process.argv.slice(2)));
