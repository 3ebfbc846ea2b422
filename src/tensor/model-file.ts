/**
 * Model files by extension: `.safetensors`, and `.pt` or `.pth` of PyTorch.
 *
 * @module
 */
import { readFile, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { ConfigError, ConsiliumError, DataError } from '../errors';
import { writeFileAtomic } from '../util/atomic-file';
import { decodeSafetensors, encodeSafetensors } from './safetensors';
import type { NamedTensors } from './tensor';
import { decodeTorchCheckpoint } from './torch-checkpoint/read';
import { encodeTorchCheckpoint } from './torch-checkpoint/write';

export interface ModelFile {
  /** Weights by name in the order of the file. Each tensor owns its memory. */
  readonly tensors: NamedTensors;
  /** What a reader may want to know, as full sentences: half precision that was widened, keys that were left out. */
  readonly notes: readonly string[];
}

const maxFileBytes = 2 ** 31;

/** Reads the weights of a model file. @throws DataError that names the file and what is wrong with it. */
export async function loadModelFile(path: string): Promise<ModelFile> {
  const decode = decoders[extname(path).toLowerCase()];
  if (decode === undefined) {
    const known = Object.keys(decoders).join(', ');
    throw new ConfigError(`Expected a model file that ends in one of ${known}, but got '${path}'.`);
  }
  const bytes = await readModelBytes(path);
  try {
    return decode(bytes);
  } catch (error) {
    if (!(error instanceof ConsiliumError)) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    throw new DataError(`Cannot read the model '${path}': ${error.message}`, { cause: error, file: path, ...hint });
  }
}

/** Writes weights in the format of the extension, whole or not at all. @throws WorkspaceError, ConfigError. */
export async function saveModelFile(path: string, tensors: NamedTensors): Promise<void> {
  const encode = encoders[extname(path).toLowerCase()];
  if (encode === undefined) {
    const known = Object.keys(encoders).join(', ');
    throw new ConfigError(`Expected a model file that ends in one of ${known}, but got '${path}'.`);
  }
  await writeFileAtomic(path, encode(tensors));
}

const decoders: Readonly<Record<string, (bytes: Uint8Array) => ModelFile>> = {
  '.safetensors': fromSafetensors,
  '.pt': fromTorch,
  '.pth': fromTorch,
};

const encoders: Readonly<Record<string, (tensors: NamedTensors) => Uint8Array>> = {
  '.safetensors': (tensors) => encodeSafetensors(tensors, { format: 'pt' }),
  '.pt': encodeTorchCheckpoint,
  '.pth': encodeTorchCheckpoint,
};

async function readModelBytes(path: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > maxFileBytes) {
      throw new DataError(`The model '${path}' has ${size} bytes; at most ${maxFileBytes} are accepted.`, {
        file: path,
      });
    }
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DataError(`Cannot read the model '${path}': ${why}`, {
      cause,
      file: path,
      hint: 'Check the path and that this user may read it.',
    });
  }
}

function fromSafetensors(bytes: Uint8Array): ModelFile {
  const { tensors, widened } = decodeSafetensors(bytes, { widenHalf: true });
  return { tensors, notes: widenedNote(widened) };
}

function fromTorch(bytes: Uint8Array): ModelFile {
  const { tensors, widened, ignored, wrapper, otherKeys } = decodeTorchCheckpoint(bytes);
  const notes = [...widenedNote(widened)];
  if (otherKeys.length > 0)
    notes.push(`Only the weights under '${wrapper}' were read; left out: ${otherKeys.join(', ')}.`);
  else if (wrapper !== undefined && wrapper !== 'model') notes.push(`The weights were read from under '${wrapper}'.`);
  if (ignored.length > 0) notes.push(`Entries that are no tensors were left out: ${ignored.join(', ')}.`);
  return { tensors, notes };
}

function widenedNote(names: readonly string[]): readonly string[] {
  return names.length === 0 ? [] : [`${names.length} tensors in half precision were widened to float32.`];
}
