/**
 * Tensors from references to storages: bounds, strides and element types become plain C-order arrays.
 *
 * @module
 */
import { DataError } from '../../errors';
import { widenBfloat16, widenFloat16 } from '../half';
import { allocate, bytesPerElement, type DType, type NamedTensors, sizeOf, type Tensor, viewAs } from '../tensor';
import type { StorageRef, StoredType, TensorRef } from './pickle-value';

/** Where the bytes of storages are. */
export interface Storages {
  /** All bytes of storages in the file. */
  readonly totalBytes: number;
  /** The bytes of one storage. @throws DataError when the file has none of that key. */
  read(storage: StorageRef): Uint8Array;
}

/**
 * The tensors by name, each with memory of its own; halves are widened to float32. Their sizes together may not exceed
 * 16 times the file's storages, so that a tiny file cannot ask for a huge broadcast.
 *
 * @throws DataError when a tensor reaches outside its storage.
 */
export function materialiseAll(refs: ReadonlyMap<string, TensorRef>, storages: Storages): NamedTensors {
  const inline = new Set([...refs.values()].map(({ storage }) => storage.bytes));
  const stored = [...inline].reduce((sum, bytes) => sum + (bytes?.length ?? 0), storages.totalBytes);
  const limit = 16 * stored + 2 ** 20;
  let total = 0;
  for (const [name, ref] of refs) {
    checkBounds(name, ref);
    total += sizeOf(ref.shape) * bytesPerElement(arrayType(ref.dtype));
    if (total > limit) {
      throw new DataError(`The tensors up to '${name}' unfold to ${total} bytes from ${stored} stored ones.`);
    }
  }
  return new Map([...refs].map(([name, ref]) => [name, materialise(name, ref, storages)]));
}

/** The type of the array that holds stored elements as they are. */
function arrayType(dtype: StoredType): DType {
  return dtype === 'float16' || dtype === 'bfloat16' ? 'uint16' : dtype;
}

/** Bytes of one element of a storage of this type. */
export function storedBytes(dtype: StoredType | undefined): number {
  return dtype === undefined ? 1 : bytesPerElement(arrayType(dtype));
}

function checkBounds(name: string, { storage, dtype, offset, shape, strides }: TensorRef): void {
  const available = Math.floor((storage.length * storedBytes(storage.dtype)) / storedBytes(dtype));
  let last = offset - 1;
  if (!shape.includes(0)) last += 1 + shape.reduce((sum, n, i) => sum + (n - 1) * strides[i]!, 0);
  if (storage.dtype !== undefined && storage.dtype !== dtype) {
    throw new DataError(`Tensor '${name}' is ${dtype}, but its storage is ${storage.dtype}.`);
  }
  if (last >= available) {
    throw new DataError(
      `Tensor '${name}' of shape [${shape}] reaches element ${last} of a storage that has only ${available}.`,
    );
  }
}

function materialise(name: string, ref: TensorRef, storages: Storages): Tensor {
  const type = arrayType(ref.dtype);
  const bytes = ref.storage.bytes ?? storages.read(ref.storage);
  if (bytes.length < ref.storage.length * storedBytes(ref.storage.dtype)) {
    throw new DataError(`Storage '${ref.storage.key}' of tensor '${name}' is shorter than the file declares.`);
  }
  const width = bytesPerElement(type);
  const whole = viewAs(type, bytes.subarray(0, Math.floor(bytes.length / width) * width));
  const data = gather(whole, ref, type);
  if (ref.dtype === 'float16') return { dtype: 'float32', shape: ref.shape, data: widenFloat16(data as Uint16Array) };
  if (ref.dtype === 'bfloat16') return { dtype: 'float32', shape: ref.shape, data: widenBfloat16(data as Uint16Array) };
  return { dtype: ref.dtype, shape: ref.shape, data };
}

/** The elements of a strided view, copied into C order. */
function gather(storage: Tensor['data'], { offset, shape, strides }: TensorRef, type: DType): Tensor['data'] {
  const size = sizeOf(shape);
  if (isContiguous(shape, strides)) return storage.slice(offset, offset + size);
  const data = allocate(type, size);
  const index = shape.map(() => 0);
  let from = offset;
  for (let to = 0; to < size; to++) {
    data[to] = storage[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return data;
}

/** Whether the strides are those of C order; those of axes of length 1 do not matter. */
function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}
