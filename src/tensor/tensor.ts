/**
 * Tensors as plain data: a dtype, a shape and a flat typed array in C order (last axis fastest).
 *
 * @module
 */
import { ShapeError } from '../errors';

/** The typed array that holds each element type. `bool` holds one byte an element, 0 or 1. */
interface Arrays {
  readonly float32: Float32Array;
  readonly float64: Float64Array;
  readonly int8: Int8Array;
  readonly uint8: Uint8Array;
  readonly int16: Int16Array;
  readonly uint16: Uint16Array;
  readonly int32: Int32Array;
  readonly uint32: Uint32Array;
  readonly int64: BigInt64Array;
  readonly uint64: BigUint64Array;
  readonly bool: Uint8Array;
}

interface ArrayClass<A> {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): A;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): A;
}

const arrays: { readonly [T in keyof Arrays]: ArrayClass<Arrays[T]> } = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
};

export type DType = keyof Arrays;
export type TensorData<T extends DType = DType> = Arrays[T];
export type Shape = readonly number[];

export interface Tensor<T extends DType = DType> {
  readonly dtype: T;
  readonly shape: Shape;
  /** `sizeOf(shape)` elements in C order. */
  readonly data: TensorData<T>;
}

/** Tensors by name, in a meaningful order (that of the model's state). */
export type NamedTensors = ReadonlyMap<string, Tensor>;

/** Number of elements of a shape; 1 for a scalar. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const n of shape) size *= n;
  return size;
}

/** Bytes of the numbers of all tensors. */
export function sizeInBytes(tensors: NamedTensors): number {
  let bytes = 0;
  for (const { data } of tensors.values()) bytes += data.byteLength;
  return bytes;
}

export function bytesPerElement(dtype: DType): number {
  return arrays[dtype].BYTES_PER_ELEMENT;
}

/** Zeros of `length` elements. */
export function allocate<T extends DType>(dtype: T, length: number): TensorData<T> {
  return new arrays[dtype](length);
}

/** The bytes as elements of `dtype`, copied when they are not aligned. The bytes are little-endian, as is this machine. */
export function viewAs<T extends DType>(dtype: T, bytes: Uint8Array): TensorData<T> {
  const width = bytesPerElement(dtype);
  const aligned = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes);
  return new arrays[dtype](aligned.buffer, aligned.byteOffset, aligned.byteLength / width);
}

/** The raw bytes of a tensor's data, not copied. */
export function bytesOf(tensor: Tensor): Uint8Array {
  return new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
}

/** A tensor over `data`, not copied. @throws ShapeError when the lengths differ. */
export function tensor<T extends DType>(dtype: T, shape: Shape, data: TensorData<T>): Tensor<T> {
  if (data.length !== sizeOf(shape)) {
    throw new ShapeError(
      `A ${dtype} tensor of shape [${shape}] needs ${sizeOf(shape)} elements, but ${data.length} were given.`,
    );
  }
  return { dtype, shape, data };
}

/** Whether a value of any type is a tensor: a known dtype, a shape, and an array of that type and size. */
export function isTensor(value: unknown): value is Tensor {
  if (typeof value !== 'object' || value === null) return false;
  const { dtype, shape, data } = value as { readonly [K in keyof Tensor]: unknown };
  if (typeof dtype !== 'string' || !Object.hasOwn(arrays, dtype) || !Array.isArray(shape)) return false;
  const sizes = shape.every((n) => Number.isSafeInteger(n) && n >= 0);
  return sizes && data instanceof arrays[dtype as DType] && data.length === sizeOf(shape);
}

/** A float32 tensor over `data`; an array of numbers is copied. */
export function float32(shape: Shape, data: Float32Array | readonly number[]): Tensor<'float32'> {
  return tensor('float32', shape, data instanceof Float32Array ? data : Float32Array.from(data));
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}

/** The tensors with every floating-point number changed; integers and booleans stay as they are. Nothing is changed in place. */
export function mapFloats(
  tensors: NamedTensors,
  change: (x: number, index: number, name: string) => number,
): NamedTensors {
  return new Map(
    [...tensors].map(([name, tensor]): [string, Tensor] => {
      const { data } = tensor;
      if (data instanceof Float32Array) return [name, { ...tensor, data: data.map((x, i) => change(x, i, name)) }];
      if (data instanceof Float64Array) return [name, { ...tensor, data: data.map((x, i) => change(x, i, name)) }];
      return [name, tensor];
    }),
  );
}

/** The numbers of a floating-point tensor. @throws ShapeError for integers and booleans */
export function floatsOf({ dtype, data }: Tensor): Float32Array | Float64Array {
  if (data instanceof Float32Array || data instanceof Float64Array) return data;
  throw new ShapeError(`Expected a float32 or float64 tensor, but got ${dtype}.`);
}
