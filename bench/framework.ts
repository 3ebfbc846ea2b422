/**
 * What the framework costs for each round and site beyond validation and training: sending the 4.7-million-parameter model
 * to a worker, the difference, the site's state on disk, the update's journal, the average, the checkpoint, the metrics.
 * One slot, so that nothing overlaps and the rest of a round's time is all framework.
 */
import { Brats18Recipe } from '../src/recipes/brats18-recipe';
import { SimEnv } from '../src/runtime/sim-env';
import { inTemporaryFolder, median } from './measure';

const sites = 4;

export async function framework(): Promise<{ readonly msPerRoundAndSite: number }> {
  const recipe = new Brats18Recipe({
    nClients: sites,
    rounds: 6,
    epochs: 1,
    data: { casesPerSite: 1, validationCases: 1, shape: [32, 32, 32] },
    roi: [32, 32, 32],
    inferRoi: [32, 32, 32],
    // As in the usual run: a session's idle threads spin, which would take the second core from everything else.
    engine: { sessionThreads: 1 },
  });
  const overheads = await inTemporaryFolder(async (workspace) => {
    const run = recipe.execute(new SimEnv({ workspace, threads: 1 }));
    const found: number[] = [];
    let last = performance.now();
    for await (const event of run.events()) {
      if (event.kind !== 'round-finished' || event.final) continue;
      const seconds = (performance.now() - last) / 1000;
      last = performance.now();
      // The first round also starts the worker and builds its sessions.
      if (event.round === 0) continue;
      const work = event.sites.map(({ seconds }) => (seconds ? seconds.validate + seconds.train : 0));
      found.push(((seconds - work.reduce((a, b) => a + b)) * 1000) / sites);
    }
    await run.result();
    return found;
  });
  return { msPerRoundAndSite: median(overheads) };
}
