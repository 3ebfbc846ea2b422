/**
 * What the framework adds to a round for each site, beyond validation and training: sending the 4.7-million-parameter model
 * to a worker, the difference, the site's state on disk, the update's journal, the average, the checkpoint, the metrics. It
 * is the whole time from one round's end to the next, less what the busiest slot computed, divided by the sites.
 *
 * `usual`: two slots, so that the disk works for one site while another computes. `oneSlot`: the sites one after the other.
 */
import { Brats18Recipe } from '../src/recipes/brats18-recipe';
import { SimEnv } from '../src/runtime/sim-env';
import { inTemporaryFolder, mean } from './measure';

const sites = 4;

export async function framework(): Promise<{ readonly usual: number; readonly oneSlot: number }> {
  return { usual: await msPerRoundAndSite(2), oneSlot: await msPerRoundAndSite(1) };
}

async function msPerRoundAndSite(slots: number): Promise<number> {
  const recipe = new Brats18Recipe({
    nClients: sites,
    rounds: 9,
    epochs: 1,
    data: { casesPerSite: 2, validationCases: 1, shape: [32, 32, 32] },
    roi: [32, 32, 32],
    inferRoi: [32, 32, 32],
    // A session's idle threads spin, which would take the second core from everything else.
    engine: { sessionThreads: 1 },
  });
  const overheads = await inTemporaryFolder(async (workspace) => {
    const run = recipe.execute(new SimEnv({ workspace, threads: slots }));
    const found: number[] = [];
    let last = performance.now();
    for await (const event of run.events()) {
      if (event.kind !== 'round-finished' || event.final) continue;
      const milliseconds = performance.now() - last;
      last = performance.now();
      // The first round also starts the workers and builds their sessions.
      if (event.round > 0) found.push((milliseconds - busiestSlot(event.sites, slots)) / sites);
    }
    await run.result();
    return found;
  });
  // Not the median: a checkpoint is written while the next round runs, so that what one interval lacks the next one has.
  return mean(overheads);
}

/** Milliseconds that the slot with the most work validated and trained; sites are dealt to slots in turn. */
function busiestSlot(
  answers: readonly { readonly seconds?: { readonly validate: number; readonly train: number } }[],
  slots: number,
): number {
  const busy = new Array<number>(slots).fill(0);
  for (const [i, { seconds }] of answers.entries()) {
    busy[i % slots]! += 1000 * ((seconds?.validate ?? 0) + (seconds?.train ?? 0));
  }
  return Math.max(...busy);
}
