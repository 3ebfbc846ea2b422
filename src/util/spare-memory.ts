/**
 * Memory for numbers that are needed for a moment, round after round: an update that is read, the sums it is added to. Taken
 * anew each time, it would lie about until the engine of JavaScript looks for dead arrays, and the system's allocator, which
 * cuts what is freed into pieces, would hold on to several times as much.
 *
 * @module
 */

/** What is kept for later at most, bytes. */
const mostBytes = 128 * 2 ** 20;

/** Sizes are whole numbers of it, so that what is almost as long as before fits. Less than one of it is not worth keeping. */
const granule = 2 ** 16;

/**
 * Memory of so many bytes is given back to the system as soon as it is let go. What is smaller the C library (glibc) takes, once one
 * of that size was let go, out of a heap of its own, which keeps it; and of what is larger than needed nothing exists that was never touched.
 */
const ownPages = 2 ** 25 + granule;

/** From so many bytes on: then twice as much is asked for at most, and the engine does not take small updates for large ones. */
const large = 2 ** 24;

const spare = new Map<number, ArrayBuffer[]>();
let kept = 0;

/** At least so many bytes, of any content. Whoever does not give them back loses nothing but time. */
export function takeMemory(bytes: number): ArrayBuffer {
  if (bytes < granule) return new ArrayBuffer(bytes);
  const least = bytes >= large ? Math.max(bytes, ownPages) : bytes;
  const size = Math.ceil(least / granule) * granule;
  const memory = spare.get(size)?.pop();
  if (memory === undefined) return new ArrayBuffer(size);
  kept -= size;
  return memory;
}

/** Gives memory back that nobody reads any more. */
export function giveMemoryBack(memory: ArrayBuffer): void {
  const size = memory.byteLength;
  if (size < granule || size % granule !== 0 || kept + size > mostBytes) return;
  const ofSize = spare.get(size) ?? [];
  spare.set(size, ofSize);
  if (ofSize.includes(memory)) return;
  ofSize.push(memory);
  kept += size;
}

/** Lets go of all of it: a job has ended, and the next one may have another model. */
export function forgetSpareMemory(): void {
  spare.clear();
  kept = 0;
}
