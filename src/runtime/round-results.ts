/**
 * What a round gives besides a model and metrics: JSON files, and its place in the result of the run.
 *
 * @module
 */
import { join } from 'node:path';
import type { RoundSummary } from '../jobs/environment';
import { writeFileAtomic } from '../util/atomic-file';
import type { Json } from '../util/json';
import type { RoundLine } from './round-line';

/** Writes `<name>.json` for each result; of equal names the last one stays. */
export async function writeResults(folder: string, lines: readonly RoundLine[]): Promise<void> {
  for (const [name, value] of Object.entries(resultsOf(lines))) {
    await writeFileAtomic(join(folder, `${name}.json`), `${JSON.stringify(value, null, 2)}\n`);
  }
}

/** The results of a run, by name; of equal names the last one stays. */
export function resultsOf(lines: readonly Pick<RoundLine, 'results'>[]): Readonly<Record<string, Json>> {
  return Object.assign({}, ...lines.map(({ results }) => results)) as Record<string, Json>;
}

/** The files that {@link writeResults} wrote, by name. */
export function resultFiles(folder: string, lines: readonly RoundLine[]): Record<string, string> {
  return Object.fromEntries(Object.keys(resultsOf(lines)).map((name) => [name, join(folder, `${name}.json`)]));
}

export function roundSummary({ round, final, metrics, sites, seconds }: RoundLine): RoundSummary {
  return {
    round,
    final: final === true,
    metrics,
    seconds,
    sites: sites.map(({ name, status, reason, metrics: own }) => ({
      name,
      status,
      ...(reason !== undefined && { reason }),
      ...(own && { metrics: own }),
    })),
  };
}
