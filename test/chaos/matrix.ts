/**
 * All rows of the chaos matrix, by their ids.
 *
 * @module
 */
import type { ChaosRow } from './row';
import { lifecycleRows } from './rows/lifecycle';
import { networkRows } from './rows/network';
import { serverCrashes } from './rows/server-crashes';
import { siteRows } from './rows/sites';
import { storageRows } from './rows/storage';

export const matrix: readonly ChaosRow[] = [
  ...serverCrashes,
  ...siteRows,
  ...networkRows,
  ...lifecycleRows,
  ...storageRows,
];
