/**
 * Reads the weights out of files of `torch.save`, without Python and without running anything that a file contains.
 *
 * @module
 */
import { DataError } from '../../errors';
import { readZip, type ZipFile } from '../../util/zip-read';
import type { NamedTensors } from '../tensor';
import { callGlobal, storageOf } from './globals';
import { isLegacyFile, readLegacyFile } from './legacy';
import { materialiseAll, type Storages } from './materialise';
import { numpyTensor } from './numpy-array';
import type { PickleHooks } from './pickle-machine';
import { readPickle } from './pickle-reader';
import { isKind, type PickleDict, type PickleValue, type TensorRef } from './pickle-value';
import { describeKeys, findStateDict } from './state-dict';

export interface TorchCheckpoint {
  /** In the order of the state dict. Each tensor owns its memory; float16 and bfloat16 became float32. */
  readonly tensors: NamedTensors;
  /** The key the state dict was found under; `undefined` when the file is the state dict itself. */
  readonly wrapper: string | undefined;
  /** Other keys of the file (epoch, optimizer, …), with the name of the Python object where that is their value. */
  readonly otherKeys: readonly string[];
  /** Names in the state dict whose values are no tensors, likewise. */
  readonly ignored: readonly string[];
  /** Names of the tensors that were widened from half precision. */
  readonly widened: readonly string[];
}

const maxPickleBytes = 2 ** 26;

const hooks: PickleHooks = { call: callGlobal, persistent: storageOf };

/**
 * Reads a checkpoint: the zip of torch ≥ 1.6 or the older format. The weights may stand under a key that training code uses
 * (`model`, `state_dict`, `net`, …), under any key when they are alone, or be the file themselves (MONAI's model zoo). What
 * else the file holds is left out; Python objects in it are never made.
 *
 * @throws DataError when the file is damaged, or has no state dict, or several.
 */
export function decodeTorchCheckpoint(bytes: Uint8Array): TorchCheckpoint {
  const { value, storages } = isLegacyFile(bytes) ? readLegacyFile(bytes, hooks) : readZipFile(bytes);
  const { dict, wrapper } = findStateDict(value);
  const refs = new Map<string, TensorRef>();
  const ignored: PickleValue[] = [];
  for (const [name, item] of dict.entries) {
    const ref = isKind(item, 'tensor') ? item : numpyTensor(item);
    if (ref === undefined) ignored.push(name);
    else refs.set(String(name), ref);
  }
  const isHalf = (ref: TensorRef): boolean => ref.dtype === 'float16' || ref.dtype === 'bfloat16';
  return {
    tensors: materialiseAll(refs, storages),
    wrapper,
    otherKeys: isKind(value, 'dict') && value !== dict ? otherKeysOf(value, wrapper) : [],
    ignored: describeKeys(dict, ignored),
    widened: [...refs].filter(([, ref]) => isHalf(ref)).map(([name]) => name),
  };
}

function otherKeysOf(file: PickleDict, wrapper: string | undefined): readonly string[] {
  return describeKeys(
    file,
    [...file.entries.keys()].filter((key) => key !== wrapper),
  );
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
