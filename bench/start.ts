/**
 * How long a user waits before anything happens. The package is built, packed and installed in a folder of its own first.
 */
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { Brats18Recipe } from '../src/recipes/brats18-recipe';
import { SimEnv } from '../src/runtime/sim-env';
import { installPacked } from '../test/support/packed-package';
import { outputOf } from '../test/support/run-program';
import { inTemporaryFolder, median } from './measure';

export interface StartTimes {
  /** `require('consilium')` in a fresh process of the installed package. */
  readonly importMs: number;
  /** `consilium --help` of the installed package. */
  readonly commandHelpSeconds: number;
  /** The same through npx, which takes most of the time itself. */
  readonly npxHelpSeconds: number;
  /** `npx ts-node jobs/brats18.ts --help` in the clone. */
  readonly jobHelpSeconds: number;
  readonly firstStepSeconds: number;
}

export async function start(): Promise<StartTimes> {
  return { ...(await inTemporaryFolder(packageTimes)), firstStepSeconds: await startToFirstStep() };
}

async function packageTimes(folder: string): Promise<Omit<StartTimes, 'firstStepSeconds'>> {
  await installPacked(folder);
  return {
    importMs: await importMs(folder),
    commandHelpSeconds: await seconds(join('node_modules', '.bin', 'consilium'), ['--help'], folder),
    npxHelpSeconds: await seconds('npx', ['consilium', '--help'], folder),
    jobHelpSeconds: await seconds('npx', ['ts-node', 'jobs/brats18.ts', '--help'], resolve(__dirname, '..')),
  };
}

/** Median of fresh processes, the start of Node.js not counted. The first run also warms the disk's cache. */
async function importMs(folder: string): Promise<number> {
  const script = `const begin = performance.now(); require('consilium'); console.log(performance.now() - begin);`;
  const times: number[] = [];
  for (let i = 0; i < 12; i++) times.push(Number(await outputOf(process.execPath, ['--eval', script], folder)));
  return median(times.slice(1));
}

async function seconds(name: string, args: readonly string[], cwd: string): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 6; i++) {
    const begin = performance.now();
    await outputOf(name, args, cwd);
    times.push((performance.now() - begin) / 1000);
  }
  return median(times.slice(1));
}

/**
 * From the start of the command to the first training step, data present: a process of its own, stopped at that step. The
 * published job validates the received model before it trains; with one small validation case that is a fraction of it.
 */
function startToFirstStep(): Promise<number> {
  return inTemporaryFolder(async (workspace) => {
    const times: number[] = [];
    for (let i = 0; i < 4; i++) {
      const started = performance.now();
      const run = spawnSync('npx', ['ts-node', join('bench', 'start.ts'), workspace], { encoding: 'utf8' });
      const firstStep = Number(run.stdout);
      if (run.status !== 0 || Number.isNaN(firstStep)) throw new Error(`the job did not start:\n${run.stderr}`);
      // The first run also writes the data.
      if (i > 0) times.push((firstStep - (performance.timeOrigin + started)) / 1000);
    }
    return median(times);
  });
}

/** Prints the time of the first training step, ms since 1970. */
async function untilFirstStep(workspace: string): Promise<void> {
  const run = new Brats18Recipe().execute(new SimEnv({ workspace }));
  for await (const event of run.events()) {
    if (event.kind === 'progress' && event.phase === 'train') {
      process.stdout.write(String(Date.now()));
      run.abort();
      break;
    }
  }
  await run.result().catch(() => {});
}

if (require.main === module) void untilFirstStep(process.argv[2]!);
