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

/** The name of a Python object that the reader knows, as `module.name`. Never the object. */
export interface PickleGlobal {
  readonly kind: 'global';
  readonly name: string;
}

/** Memory that tensors share, found under `key` in the file. */
export interface StorageRef {
  readonly kind: 'storage';
  readonly key: string;
  /** `undefined` for an untyped storage: the tensor over it says its type. */
  readonly dtype: StoredType | undefined;
  /** In elements of `dtype`; in bytes for an untyped storage. */
  readonly length: number;
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
export function isKind<K extends 'tuple' | 'list' | 'set' | 'dict' | 'global' | 'storage' | 'tensor'>(
  value: PickleValue | undefined,
  kind: K,
): value is Extract<PickleValue, { readonly kind: K }> | (K extends PickleSequence['kind'] ? PickleSequence : never) {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === kind;
}
