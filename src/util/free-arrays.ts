/**
 * Who frees the memory of dead arrays.
 *
 * @module
 */
import { setFlagsFromString } from 'node:v8';

/**
 * Has every thread free its own dead arrays, from here on in the whole process. The engine of JavaScript leaves that to helper
 * threads, which take more time for arrays of megabytes than their making does: with a model of a million numbers about a
 * millisecond for each task of a site, of cores that the sites train on.
 */
export function freeArraysInPlace(): void {
  setFlagsFromString('--no-concurrent-array-buffer-sweeping');
}
