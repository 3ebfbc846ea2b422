/**
 * Garbage collection on demand. The engine of JavaScript collects by the number of objects, and sees too late that a few
 * dead arrays hold hundreds of megabytes.
 *
 * @module
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** So many bytes of short-lived buffers may lie about. */
const mostYoungBytes = 4 * 2 ** 20;

let young = 0;

/**
 * Buffers of so many bytes were made that die soon, such as those of a connection. The engine would look for dead ones after
 * 32 MiB, and the system's allocator keeps about as much of what was freed as there ever was.
 */
export function noteShortLived(bytes: number): void {
  young += bytes;
  if (young < mostYoungBytes) return;
  young = 0;
  collectGarbage('young');
}

/**
 * Keeps the space for new objects as small as it is: the engine would let it grow to 48 MiB. For a process that holds large arrays and
 * makes few objects, such as a server.
 */
export function keepYoungSpaceSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

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
