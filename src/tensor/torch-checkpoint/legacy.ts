/**
 * The container that torch wrote before 1.6: five pickles one after the other (magic number, version, system, the object,
 * the keys of its storages), then the storages.
 *
 * @module
 */
import { DataError } from '../../errors';
import { type Storages, storedBytes } from './materialise';
import type { PickleHooks } from './pickle-machine';
import { readPickle } from './pickle-reader';
import { isKind, type PickleValue, type StorageRef } from './pickle-value';

/** The pickled magic number 0x1950a86a20f9469cfc6c. */
const magic = Uint8Array.of(0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e);

/** Whether the bytes begin as such a file does. */
export function isLegacyFile(bytes: Uint8Array): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}

/** The object in the file and the bytes of its storages. @throws DataError on damage or a big-endian file. */
export function readLegacyFile(
  bytes: Uint8Array,
  hooks: PickleHooks,
): { readonly value: PickleValue; readonly storages: Storages } {
  const seen = new Map<string, StorageRef>();
  const persistent = (id: PickleValue): PickleValue => {
    const storage = hooks.persistent(id);
    if (isKind(storage, 'storage')) seen.set(storage.key, storage);
    return storage;
  };
  const version = readPickle(bytes, hooks, magic.length);
  const system = readPickle(bytes, hooks, version.end);
  const object = readPickle(bytes, { ...hooks, persistent }, system.end);
  const keys = readPickle(bytes, hooks, object.end);
  if (version.value !== 1001)
    throw new DataError(`The checkpoint has container version ${String(version.value)}, not 1001.`);
  if (!isKind(system.value, 'dict') || system.value.entries.get('little_endian') !== true) {
    throw new DataError('The checkpoint was written on a big-endian machine, which is not supported.');
  }
  return { value: object.value, storages: readStorages(bytes, keys, seen) };
}

function readStorages(
  bytes: Uint8Array,
  keys: { readonly value: PickleValue; readonly end: number },
  seen: ReadonlyMap<string, StorageRef>,
): Storages {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const byKey = new Map<string, Uint8Array>();
  let at = keys.end;
  for (const key of isKind(keys.value, 'list') ? keys.value.items : []) {
    const storage = typeof key === 'string' ? seen.get(key) : undefined;
    if (storage === undefined) throw new DataError('The checkpoint lists a storage that no tensor uses.');
    const length = at + 8 <= bytes.length ? view.getBigInt64(at, true) : -1n;
    const end = at + 8 + storage.length * storedBytes(storage.dtype);
    if (length !== BigInt(storage.length) || end > bytes.length) {
      throw new DataError(`The checkpoint is cut off or damaged at storage '${storage.key}'.`);
    }
    byKey.set(storage.key, bytes.subarray(at + 8, end));
    at = end;
  }
  return {
    totalBytes: bytes.length,
    read(storage) {
      const found = byKey.get(storage.key);
      if (found === undefined) throw new DataError(`The checkpoint has no storage '${storage.key}'.`);
      return found;
    },
  };
}
