/**
 * Garbage collection on demand. The engine of JavaScript collects by the number of objects, and sees too late that a few
 * dead arrays hold hundreds of megabytes.
 *
 * @module
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/** Gives back the memory of arrays that nothing refers to any more. Takes some milliseconds. */
export function collectGarbage(): void {
  if (!collect) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}
