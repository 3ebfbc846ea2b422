/**
 * TensorBoard curves, one file for each site, with the original's tags and steps.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type EventsWriter, type NewScalar, openEvents } from '../tracking/events-writer';
import type { RoundLine } from './round-line';

export interface SiteEvents {
  add(line: RoundLine): Promise<void>;
}

/** Opens the event files and makes them equal to the rounds so far. A site has a file once it has a number to show. */
export async function openSiteEvents(
  folder: string,
  sites: readonly string[],
  history: readonly RoundLine[],
): Promise<SiteEvents> {
  const writers = new Map<string, EventsWriter>();
  const earlier = new Set(existsSync(folder) ? await readdir(folder) : []);
  for (const name of sites) if (earlier.has(name)) await open(name); // Removes what an earlier process wrote.
  for (const line of history) await add(line);
  return { add };

  async function open(name: string): Promise<EventsWriter> {
    const writer = await openEvents(join(folder, name), { name, clock: Date.now, restart: true });
    writers.set(name, writer);
    return writer;
  }

  async function add(line: RoundLine): Promise<void> {
    for (const { name, metrics, steps } of line.sites) {
      const points = metrics ? pointsOf(line, metrics, steps ?? 0) : [];
      if (points.length > 0) await (writers.get(name) ?? (await open(name))).add(points);
    }
  }
}

function pointsOf(
  { round, time }: RoundLine,
  metrics: Readonly<Record<string, number | null>>,
  steps: number,
): NewScalar[] {
  const wallTime = Date.parse(time) / 1000;
  const points: NewScalar[] = [];
  const scalar = (tag: string, value: number | null | undefined, step: number) => {
    if (typeof value === 'number') points.push({ tag, value, step, wallTime });
  };
  scalar('val_metric_global_model', metrics.val_dice, round);
  for (const region of ['tc', 'wt', 'et']) {
    scalar(`val_metric_global_model_${region}`, metrics[`val_dice_${region}`], round);
  }
  const epochs = Object.keys(metrics).filter((name) => name.startsWith('train_loss_epoch_')).length;
  if (epochs === 0) scalar('train_loss', metrics.train_loss, round * steps);
  // The original counts `round · steps + epoch`, so curves of its runs and of ours lie over each other.
  for (let epoch = 0; epoch < epochs; epoch++) {
    scalar('train_loss', metrics[`train_loss_epoch_${epoch}`], round * steps + epoch);
  }
  return points;
}
