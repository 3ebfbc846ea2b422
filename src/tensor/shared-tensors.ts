/**
 * Tensors in memory that threads share, so that a model reaches any number of them with one copy.
 *
 * @module
 */
import { allocate, bytesOf, bytesPerElement, type NamedTensors, type Tensor, viewAs } from './tensor';

const alignment = 8;

/**
 * A copy of the tensors over one SharedArrayBuffer: sending it to a thread copies nothing.
 *
 * @param reuse memory of an earlier copy that nobody reads any more; fresh memory costs more than the copying.
 */
export function shareTensors(tensors: NamedTensors, reuse?: SharedArrayBuffer): NamedTensors {
  const sizes = [...tensors.values()].map(({ data }) => Math.ceil(data.byteLength / alignment) * alignment);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const memory = new Uint8Array(reuse?.byteLength === total ? reuse : new SharedArrayBuffer(total));
  const shared = new Map<string, Tensor>();
  let at = 0;
  for (const [i, [name, tensor]] of [...tensors].entries()) {
    const bytes = memory.subarray(at, at + tensor.data.byteLength);
    bytes.set(bytesOf(tensor));
    shared.set(name, { ...tensor, data: viewAs(tensor.dtype, bytes) });
    at += sizes[i]!;
  }
  return shared;
}

/** A copy in memory of its own: the runtime does not take shared memory. */
export function ownTensors(tensors: NamedTensors): NamedTensors {
  const own = new Map<string, Tensor>();
  for (const [name, tensor] of tensors) {
    const data = allocate(tensor.dtype, tensor.data.byteLength / bytesPerElement(tensor.dtype));
    bytesOf({ ...tensor, data }).set(bytesOf(tensor));
    own.set(name, { ...tensor, data });
  }
  return own;
}
