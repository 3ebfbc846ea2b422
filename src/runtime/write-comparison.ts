/**
 * Compares runs by what they left.
 *
 * @module
 */
import { dirname, extname } from 'node:path';
import { type Comparison, compareRuns } from '../tracking/comparison';
import { renderComparison } from '../tracking/report/comparison-page';
import { writeFileAtomic } from '../util/atomic-file';
import { makeFolder } from '../util/make-folder';
import { readRun } from './read-run';

/**
 * Reads the runs in `folders` and writes the page `file` and the numbers beside it, with the suffix `.json`.
 *
 * @throws ConfigError for a folder without a run, and for runs with different key metrics; WorkspaceError.
 */
export async function writeComparison(folders: readonly string[], file: string): Promise<Comparison> {
  const runs = await Promise.all(folders.map(readRun));
  const comparison = compareRuns(runs.map(({ run, lines, ...rest }) => ({ ...rest, name: run, entries: lines })));
  await makeFolder(dirname(file));
  await writeFileAtomic(file, renderComparison(comparison));
  const numbers = `${file.slice(0, file.length - extname(file).length)}.json`;
  await writeFileAtomic(numbers, `${JSON.stringify(comparison, null, 2)}\n`);
  return comparison;
}
