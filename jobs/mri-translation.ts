/**
 * Federated translation between MRI contrasts, by any of the strategies.
 *
 *     npx ts-node jobs/mri-translation.ts --strategy fedbadam --translation T1:T2 --n_clients 4
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../src/cli/exit';
import { exportedLine } from '../src/cli/exported-line';
import { readMriTranslationFlags } from '../src/cli/mri-translation-flags';
import { shellWord } from '../src/cli/shell-word';
import { exportJob } from '../src/jobs/export-job';
import { runFolder } from '../src/runtime/run-folder';
import { SimEnv } from '../src/runtime/sim-env';

/** Loaded when the flags are in order, because it loads the engine: `--help` answers at once. */
function runner(): typeof import('../src/cli/run-job') {
  return require('../src/cli/run-job');
}

function comparer(): typeof import('../src/cli/compare-command') {
  return require('../src/cli/compare-command');
}

async function main(argv: readonly string[]): Promise<void> {
  const { recipes, exportTo, workspace, threads, resume, json } = readMriTranslationFlags(argv);
  if (exportTo !== undefined) {
    process.stdout.write(exportedLine(await exportJob(recipes[0].job, exportTo)));
    return;
  }
  const flags = argv
    .filter((flag) => flag !== '--resume')
    .map(shellWord)
    .join(' ');
  // Of several runs, the later ones may not have begun.
  const hasBegun = (name: string) => existsSync(runFolder(workspace ?? 'consilium-workspace', name).metaFile);
  for (const { job } of recipes) {
    await runner().runJob({
      job,
      json,
      resumeCommand: `npx ts-node jobs/mri-translation.ts ${flags} --resume`,
      environment: new SimEnv({
        resume: resume && (recipes.length === 1 || hasBegun(job.name)),
        ...(workspace !== undefined && { workspace }),
        ...(threads !== undefined && { threads }),
      }),
    });
  }
  if (recipes.length === 1) return;
  const folder = workspace ?? 'consilium-workspace';
  const runs = recipes.map(({ job }) => join(folder, job.name));
  await comparer().compareFolders(runs, { out: join(folder, 'mri_comparison.html'), json });
}

void runCommand(() => main(process.argv.slice(2)));
