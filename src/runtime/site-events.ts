/**
 * TensorBoard curves, one file for each site, with the original's tags and steps.
 *
 * @module
 */
import { join } from 'node:path';
import { type EventsWriter, openEvents } from '../tracking/events-writer';
import type { RoundLine } from './round-line';

export interface SiteEvents {
  add(line: RoundLine): Promise<void>;
  close(): Promise<void>;
}

/** Opens the event files and makes them equal to the rounds so far. */
export async function openSiteEvents(
  folder: string,
  sites: readonly string[],
  history: readonly RoundLine[],
): Promise<SiteEvents> {
  const writers = new Map<string, EventsWriter>();
  for (const name of sites) {
    writers.set(name, await openEvents(join(folder, name), { name, clock: Date.now, restart: true }));
  }
  for (const line of history) await add(line);
  return {
    add,
    async close() {
      await Promise.all([...writers.values()].map((writer) => writer.close()));
    },
  };

  async function add(line: RoundLine): Promise<void> {
    for (const site of line.sites) {
      const writer = writers.get(site.name);
      if (writer && site.metrics) await addSite(writer, line, site.metrics, site.steps ?? 0);
    }
  }
}

async function addSite(
  writer: EventsWriter,
  { round, time }: RoundLine,
  metrics: Readonly<Record<string, number | null>>,
  steps: number,
): Promise<void> {
  const wallTime = Date.parse(time) / 1000;
  const scalar = async (tag: string, value: number | null | undefined, step: number) => {
    if (typeof value === 'number') await writer.scalar(tag, value, step, wallTime);
  };
  await scalar('val_metric_global_model', metrics.val_dice, round);
  for (const region of ['tc', 'wt', 'et']) {
    await scalar(`val_metric_global_model_${region}`, metrics[`val_dice_${region}`], round);
  }
  const epochs = Object.keys(metrics).filter((name) => name.startsWith('train_loss_epoch_')).length;
  if (epochs === 0) await scalar('train_loss', metrics.train_loss, round * steps);
  // The original counts `round · steps + epoch`, so curves of its runs and of ours lie over each other.
  for (let epoch = 0; epoch < epochs; epoch++) {
    await scalar('train_loss', metrics[`train_loss_epoch_${epoch}`], round * steps + epoch);
  }
}
