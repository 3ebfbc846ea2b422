/**
 * Arrays of NumPy that stand in a pickle, as references to tensors. Only plain ones of numbers, in the byte order of this
 * machine; every other stays the placeholder that it is.
 *
 * @module
 */
import { sizeOf } from '../tensor';
import { storedBytes } from './materialise';
import { isKind, isSizes, type PickleObject, type PickleValue, type StoredType, type TensorRef } from './pickle-value';

/** By the type strings of NumPy: kind and bytes. */
const types: ReadonlyMap<string, StoredType> = new Map([
  ['f2', 'float16'],
  ['f4', 'float32'],
  ['f8', 'float64'],
  ['i1', 'int8'],
  ['i2', 'int16'],
  ['i4', 'int32'],
  ['i8', 'int64'],
  ['u1', 'uint8'],
  ['u2', 'uint16'],
  ['u4', 'uint32'],
  ['u8', 'uint64'],
  ['b1', 'bool'],
]);

/** NumPy 2 calls its core `numpy._core`, NumPy 1 `numpy.core`. */
const reconstruct = /^numpy\._?core\.multiarray\._reconstruct$/;
const fromBuffer = /^numpy\._?core\.numeric\._frombuffer$/;

interface ArrayParts {
  readonly shape: PickleValue | undefined;
  readonly dtype: PickleValue | undefined;
  /** In the order of Fortran: the first axis fastest. */
  readonly isFortran: boolean;
  readonly bytes: PickleValue | undefined;
}

/** The tensor that a placeholder of `ndarray` describes; `undefined` when it is something else or not a plain array. */
export function numpyTensor(value: PickleValue | undefined): TensorRef | undefined {
  const parts = isKind(value, 'object') ? partsOf(value) : undefined;
  if (parts === undefined) return undefined;
  const dtype = typeOf(parts.dtype);
  const { shape, bytes, isFortran } = parts;
  if (dtype === undefined || !isSizes(shape) || !(bytes instanceof Uint8Array)) return undefined;
  const width = storedBytes(dtype);
  if (sizeOf(shape.items) * width !== bytes.length) return undefined;
  return {
    kind: 'tensor',
    storage: { kind: 'storage', key: 'numpy', dtype, length: bytes.length / width, bytes },
    dtype,
    offset: 0,
    shape: shape.items,
    strides: stridesOf(shape.items, isFortran),
  };
}

/** Protocols 2 to 4 reconstruct an empty array and set its state, protocol 5 makes it from a buffer. */
function partsOf({ name, args, state }: PickleObject): ArrayParts | undefined {
  if (reconstruct.test(name) && isKind(state, 'tuple')) {
    const [, shape, dtype, order, bytes] = state.items;
    return { shape, dtype, isFortran: order === true, bytes };
  }
  if (!fromBuffer.test(name)) return undefined;
  const [bytes, dtype, shape, order] = args;
  return { shape, dtype, isFortran: order === 'F', bytes };
}

/** `dtype('f4', False, True)` with the state `(3, '<', …)`: the second is the byte order. */
function typeOf(value: PickleValue | undefined): StoredType | undefined {
  if (!isKind(value, 'object') || value.name !== 'numpy.dtype' || !isKind(value.state, 'tuple')) return undefined;
  const [text] = value.args;
  const [, order] = value.state.items;
  return typeof text === 'string' && (order === '<' || order === '|') ? types.get(text) : undefined;
}

function stridesOf(shape: readonly number[], isFortran: boolean): readonly number[] {
  return shape.map((_, axis) => sizeOf(isFortran ? shape.slice(0, axis) : shape.slice(axis + 1)));
}
