/**
 * Garbage collection on demand. The engine of JavaScript collects by the number of objects, and sees too late that a few
 * dead arrays hold hundreds of megabytes.
 *
 * @module
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: ((options?: { readonly type: 'minor' }) => void) | undefined;

/**
 * Gives back the memory of arrays that nothing refers to any more. Takes some milliseconds.
 *
 * @param young looks only at what was made lately, such as the pieces of a blob that has just arrived: takes about one.
 */
export function collectGarbage(young: 'young' | 'all' = 'all'): void {
  if (!collect) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as typeof collect;
  }
  if (young === 'young') collect!({ type: 'minor' });
  else collect!();
}
