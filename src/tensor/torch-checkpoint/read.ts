/**
 * Reads the weights out of files of `torch.save`, without Python and without running anything that a file contains.
 *
 * @module
 */
import { DataError } from '../../errors';
import { readZip, type ZipFile } from '../../util/zip-read';
import type { NamedTensors } from '../tensor';
import { callGlobal, checkGlobal, storageOf } from './globals';
import { isLegacyFile, readLegacyFile } from './legacy';
import { materialiseAll, type Storages } from './materialise';
import type { PickleHooks } from './pickle-machine';
import { readPickle } from './pickle-reader';
import { isKind, type PickleDict, type PickleValue, type TensorRef } from './pickle-value';

export interface TorchCheckpoint {
  /** In the order of the state dict. Each tensor owns its memory; float16 and bfloat16 became float32. */
  readonly tensors: NamedTensors;
  /** The key the state dict was found under; `undefined` when the file is the state dict itself. */
  readonly wrapper: string | undefined;
  /** Other keys of the file (epoch, optimizer, …). */
  readonly otherKeys: readonly string[];
  /** Names in the state dict whose values are no tensors. */
  readonly ignored: readonly string[];
  /** Names of the tensors that were widened from half precision. */
  readonly widened: readonly string[];
}

/** Keys that are looked for, in this order, before the file itself is taken for a state dict. */
const wrapperKeys = ['model', 'state_dict', 'model_state_dict'] as const;
const maxPickleBytes = 2 ** 26;

const hooks: PickleHooks = { call: callGlobal, checkGlobal, persistent: storageOf };

/**
 * Reads a checkpoint: the zip of torch ≥ 1.6 or the older format, holding `{"model": state_dict}` (ours, NVFlare's),
 * `{"state_dict": …}`, `{"model_state_dict": …}` or a plain state dict (MONAI's model zoo).
 *
 * @throws DataError when the file is damaged, asks for a Python object outside the allow-list, or has no state dict.
 */
export function decodeTorchCheckpoint(bytes: Uint8Array): TorchCheckpoint {
  const { value, storages } = isLegacyFile(bytes) ? readLegacyFile(bytes, hooks) : readZipFile(bytes);
  const { dict, wrapper, otherKeys } = findStateDict(value);
  const refs = new Map<string, TensorRef>();
  const ignored: string[] = [];
  for (const [name, item] of dict.entries) {
    if (isKind(item, 'tensor')) refs.set(String(name), item);
    else ignored.push(String(name));
  }
  const isHalf = (ref: TensorRef): boolean => ref.dtype === 'float16' || ref.dtype === 'bfloat16';
  const widened = [...refs].filter(([, ref]) => isHalf(ref)).map(([name]) => name);
  return { tensors: materialiseAll(refs, storages), wrapper, otherKeys, ignored, widened };
}

function readZipFile(bytes: Uint8Array): { readonly value: PickleValue; readonly storages: Storages } {
  const zip = readZip(bytes);
  const pickle = zip.names.find((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickle === undefined) throw new DataError('The zip is no torch checkpoint: it has no data.pkl in its folder.');
  const root = pickle.slice(0, -'data.pkl'.length);
  if (zip.has(`${root}constants.pkl`)) {
    throw new DataError('The file is a TorchScript program, not a file of weights.', {
      hint: 'In Python: torch.save({"model": torch.jit.load(path).state_dict()}, new_path).',
    });
  }
  if (zip.has(`${root}byteorder`) && new TextDecoder().decode(zip.read(`${root}byteorder`)) !== 'little') {
    throw new DataError('The checkpoint was written on a big-endian machine, which is not supported.');
  }
  if (zip.sizeOf(pickle) > maxPickleBytes) {
    throw new DataError(
      `The checkpoint's data.pkl has ${zip.sizeOf(pickle)} bytes; at most ${maxPickleBytes} are accepted.`,
    );
  }
  return { value: readPickle(zip.read(pickle), hooks).value, storages: zipStorages(zip, `${root}data/`) };
}

function zipStorages(zip: ZipFile, folder: string): Storages {
  const cache = new Map<string, Uint8Array>();
  const names = zip.names.filter((name) => name.startsWith(folder));
  return {
    totalBytes: names.reduce((sum, name) => sum + zip.sizeOf(name), 0),
    read({ key }) {
      const bytes = cache.get(key) ?? zip.read(`${folder}${key}`);
      cache.set(key, bytes);
      return bytes;
    },
  };
}

function findStateDict(
  value: PickleValue,
): Pick<TorchCheckpoint, 'wrapper' | 'otherKeys'> & { readonly dict: PickleDict } {
  if (!isKind(value, 'dict')) throw new DataError('The checkpoint holds no dict, so no weights by name.');
  for (const wrapper of wrapperKeys) {
    const inner = value.entries.get(wrapper);
    if (isStateDict(inner)) {
      return { dict: inner, wrapper, otherKeys: keysOf(value).filter((key) => key !== wrapper) };
    }
  }
  if (isStateDict(value)) return { dict: value, wrapper: undefined, otherKeys: [] };
  const keys = keysOf(value).slice(0, 10).join(', ');
  throw new DataError(`The checkpoint has no weights by name: its keys are ${keys === '' ? '(none)' : keys}.`, {
    hint: `Expected a state dict, or one under ${wrapperKeys.map((key) => `"${key}"`).join(', ')}.`,
  });
}

function keysOf(dict: PickleDict): readonly string[] {
  return [...dict.entries.keys()].map((key) => (typeof key === 'object' ? '(object)' : String(key)));
}

/** A dict of text keys with a tensor in it; also an empty one. */
function isStateDict(value: PickleValue | undefined): value is PickleDict {
  if (!isKind(value, 'dict')) return false;
  if (![...value.entries.keys()].every((key) => typeof key === 'string')) return false;
  return value.entries.size === 0 || [...value.entries.values()].some((item) => isKind(item, 'tensor'));
}
