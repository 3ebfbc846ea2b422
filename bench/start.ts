/**
 * From the start of the command to the first training step, data present: a process of its own, stopped at that step. The
 * published job validates the received model before it trains; with one small validation case that is a fraction of it.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Brats18Recipe } from '../src/recipes/brats18-recipe';
import { SimEnv } from '../src/runtime/sim-env';
import { inTemporaryFolder, median } from './measure';

export function startToFirstStep(): Promise<{ readonly seconds: number }> {
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
    return { seconds: median(times) };
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
