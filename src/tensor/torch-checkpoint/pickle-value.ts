/**
 * What a pickle can hold once nothing in it may run: plain data, and references to tensors and their storages.
 *
 * @module
 */
import type { DType, Shape } from '../tensor';

/** Element types of stored tensors: ours, and the halves that are widened to float32 when read. */
export type StoredType = DType | 'float16' | 'bfloat16';

export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleSequence
  | PickleDict
  | PickleGlobal
  | PickleObject
  | StorageRef
  | TensorRef;

/** A tuple, list or set. */
export interface PickleSequence {
  readonly kind: 'tuple' | 'list' | 'set';
  readonly items: PickleValue[];
}

/** A dict or an ordered dict, in order. */
export interface PickleDict {
  readonly kind: 'dict';
  readonly entries: Map<PickleValue, PickleValue>;
}

/** The name of a function or class of Python, as `module.name`. Never the function or class. */
export interface PickleGlobal {
  readonly kind: 'global';
  readonly name: string;
}

/**
 * Stands for a Python object that is not made: what would have been called, with which arguments, and the state that would
 * have been set on it. Inert data.
 */
export interface PickleObject {
  readonly kind: 'object';
  readonly name: string;
  readonly args: readonly PickleValue[];
  state?: PickleValue;
}

/** Memory that tensors share, found under `key` in the file. */
export interface StorageRef {
  readonly kind: 'storage';
  readonly key: string;
  /** `undefined` for an untyped storage: the tensor over it says its type. */
  readonly dtype: StoredType | undefined;
  /** In elements of `dtype`; in bytes for an untyped storage. */
  readonly length: number;
  /** The memory itself where it stands in the pickle, as that of NumPy's arrays does. */
  readonly bytes?: Uint8Array;
}

/** A view of a storage; offset and strides in elements. */
export interface TensorRef {
  readonly kind: 'tensor';
  readonly storage: StorageRef;
  readonly dtype: StoredType;
  readonly offset: number;
  readonly shape: Shape;
  readonly strides: readonly number[];
}

/** Narrows a value to one of the kinds with a `kind`. */
export function isKind<K extends 'tuple' | 'list' | 'set' | 'dict' | 'global' | 'object' | 'storage' | 'tensor'>(
  value: PickleValue | undefined,
  kind: K,
): value is Extract<PickleValue, { readonly kind: K }> | (K extends PickleSequence['kind'] ? PickleSequence : never) {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === kind;
}

/** Whether a value is a length or an offset. */
export function isSize(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** Whether a value is a shape or strides. */
export function isSizes(
  value: PickleValue | undefined,
): value is { readonly kind: 'tuple' | 'list'; readonly items: number[] } {
  return (isKind(value, 'tuple') || isKind(value, 'list')) && value.items.every(isSize);
}
