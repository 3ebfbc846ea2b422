/**
 * All rows of the chaos matrix, by their ids.
 *
 * @module
 */
import type { ChaosRow } from './row';
import { serverCrashes } from './rows/server-crashes';

export const matrix: readonly ChaosRow[] = [...serverCrashes];
