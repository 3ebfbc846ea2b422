/**
 * Memory for the updates that a thread sends to another. It is shared, so that sending copies nothing, and used again once
 * the receiver has given it back: fresh memory of a few megabytes costs several times what it takes to fill it, because the
 * system hands it out page by page. Nor is it transferred: in a thread that has transferred an array once, the JavaScript
 * engine looks at every access to any array whether that one is gone, which doubles the time of all loops over tensors.
 *
 * @module
 */
import { bytesOf, type NamedTensors, type Tensor, viewAs } from './tensor';

/** What a thread keeps for later at most. */
const mostBytes = 64 * 2 ** 20;

const alignment = 8;

const spare = new Map<number, SharedArrayBuffer[]>();
let kept = 0;

/** Memory that was handed out here and that only its update refers to. */
const handedOut = new WeakSet<ArrayBufferLike>();

/** Tensors of the names, dtypes and shapes of `like` in one piece of shared memory. They hold any numbers. */
export function updateTensors(like: NamedTensors): NamedTensors {
  const sizes = [...like.values()].map(({ data }) => Math.ceil(data.byteLength / alignment) * alignment);
  const memory = take(sizes.reduce((sum, size) => sum + size, 0));
  let at = 0;
  const tensors = new Map<string, Tensor>();
  for (const [i, [name, tensor]] of [...like].entries()) {
    const bytes = new Uint8Array(memory, at, tensor.data.byteLength);
    tensors.set(name, { ...tensor, data: viewAs(tensor.dtype, bytes) });
    at += sizes[i]!;
  }
  return tensors;
}

/** The tensors as they can be sent, and given back by the receiver: copied, unless they are those of {@link updateTensors}. */
export function sendableTensors(tensors: NamedTensors): NamedTensors {
  if ([...tensors.values()].every(({ data }) => handedOut.has(data.buffer))) return tensors;
  const copy = updateTensors(tensors);
  for (const [name, tensor] of tensors) bytesOf(copy.get(name)!).set(bytesOf(tensor));
  const used = new Set([...tensors.values()].map(({ data }) => data.buffer));
  for (const memory of used) if (handedOut.delete(memory)) takeBack(memory as SharedArrayBuffer);
  return copy;
}

/** Leaves the memory to whoever was given the tensors, a filter say: what is sent will be a copy. */
export function leaveMemory(tensors: NamedTensors): void {
  for (const { data } of tensors.values()) handedOut.delete(data.buffer);
}

/** Takes memory back that its receiver no longer reads; lets it go when there is enough. */
export function takeBack(memory: SharedArrayBuffer): void {
  if (kept + memory.byteLength > mostBytes) return;
  kept += memory.byteLength;
  const ofSize = spare.get(memory.byteLength);
  if (ofSize) ofSize.push(memory);
  else spare.set(memory.byteLength, [memory]);
}

function take(byteLength: number): SharedArrayBuffer {
  const memory = spare.get(byteLength)?.pop();
  if (memory) kept -= byteLength;
  const taken = memory ?? new SharedArrayBuffer(byteLength);
  handedOut.add(taken);
  return taken;
}
