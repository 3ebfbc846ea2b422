/**
 * The safetensors format: the length of a header, the header in JSON (name → dtype, shape, place), raw little-endian data.
 * https://huggingface.co/docs/safetensors
 *
 * @module
 */
import { DataError } from '../errors';
import { parseStrictJson, type StrictJson } from '../util/strict-json';
import { widenBfloat16, widenFloat16 } from './half';
import {
  bytesOf,
  bytesPerElement,
  type DType,
  type NamedTensors,
  type Shape,
  sizeOf,
  type Tensor,
  viewAs,
} from './tensor';

const dtypeNames: Readonly<Record<DType, string>> = {
  float32: 'F32',
  float64: 'F64',
  int8: 'I8',
  uint8: 'U8',
  int16: 'I16',
  uint16: 'U16',
  int32: 'I32',
  uint32: 'U32',
  int64: 'I64',
  uint64: 'U64',
  bool: 'BOOL',
};
const dtypesByName = new Map(Object.entries(dtypeNames).map(([dtype, name]) => [name, dtype as DType]));

/** Element types that we have no array for, with what turns them into float32. */
const halves: Readonly<Record<string, (bits: Uint16Array) => Float32Array>> = {
  F16: widenFloat16,
  BF16: widenBfloat16,
};

const metadataKey = '__metadata__';
const defaultMaxHeaderBytes = 2 ** 20;

/**
 * The file of `tensors`. The header lists them in the order of the map; equal arguments give equal bytes. Data of wide
 * elements come first, so that each tensor is aligned to its element size as other readers need it.
 *
 * @param metadata Free text by key, kept in the header.
 * @throws DataError for a tensor named `__metadata__`.
 */
export function encodeSafetensors(tensors: NamedTensors, metadata?: Readonly<Record<string, string>>): Uint8Array {
  return concatenate(safetensorsParts(tensors, metadata));
}

/** The same file in pieces, one after the other: the header, and the tensors' own memory, not copied. */
export function safetensorsParts(
  tensors: NamedTensors,
  metadata?: Readonly<Record<string, string>>,
): readonly Uint8Array[] {
  if (tensors.has(metadataKey))
    throw new DataError(`A tensor may not be named '${metadataKey}' in a safetensors file.`);
  const places = placeTensors(tensors);
  const fields = metadata === undefined ? [] : [`"${metadataKey}":${JSON.stringify(metadata)}`];
  for (const [name, { dtype, shape }] of tensors) {
    const entry = JSON.stringify({ dtype: dtypeNames[dtype], shape, data_offsets: places.byName.get(name) });
    fields.push(`${JSON.stringify(name)}:${entry}`);
  }
  const json = new TextEncoder().encode(`{${fields.join(',')}}`);
  const headerSize = Math.ceil(json.length / 8) * 8;
  const header = new Uint8Array(8 + headerSize).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(headerSize), true);
  header.set(json, 8);
  return [header, ...places.order.map((name) => bytesOf(tensors.get(name)!))];
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}

function placeTensors(tensors: NamedTensors): {
  readonly byName: ReadonlyMap<string, readonly [number, number]>;
  /** Names in the order of the data. */
  readonly order: readonly string[];
} {
  const byName = new Map<string, readonly [number, number]>();
  const widestFirst = [...tensors].sort(([, a], [, b]) => bytesPerElement(b.dtype) - bytesPerElement(a.dtype));
  let size = 0;
  for (const [name, tensor] of widestFirst) {
    byName.set(name, [size, size + tensor.data.byteLength]);
    size += tensor.data.byteLength;
  }
  return { byName, order: [...byName.keys()] };
}

export interface SafetensorsOptions {
  /** Longest header accepted, in bytes. Default 1 MiB: about ten thousand tensors. */
  readonly maxHeaderBytes?: number;
  /** Read F16 and BF16 as float32, which holds their values exactly; else they are refused. Default false. */
  readonly widenHalf?: boolean;
  /** Tensors look into the given bytes where they are aligned: whoever gives them does not change them. Default false. */
  readonly inPlace?: boolean;
}

export interface SafetensorsFile {
  /** In the order of the header. Each tensor owns its memory, unless it was read in place. */
  readonly tensors: NamedTensors;
  readonly metadata: Readonly<Record<string, string>>;
  /** Names of the tensors that were widened to float32. */
  readonly widened: readonly string[];
}

interface Entry {
  readonly name: string;
  readonly dtypeName: string;
  readonly shape: Shape;
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads a safetensors file. Values may be NaN or infinite: the format allows it, so callers who mind must check.
 * @throws DataError when the header is too long or no strict JSON, or when the tensors do not cover the data exactly
 *   once, or do not have the sizes that their dtypes and shapes ask for.
 */
export function decodeSafetensors(bytes: Uint8Array, options: SafetensorsOptions = {}): SafetensorsFile {
  const { header, data } = splitFile(bytes, options.maxHeaderBytes ?? defaultMaxHeaderBytes);
  const entries: Entry[] = [];
  let metadata: Readonly<Record<string, string>> = {};
  for (const [name, value] of header) {
    if (name === metadataKey) metadata = readMetadata(value);
    else entries.push(readEntry(name, value));
  }
  for (const entry of entries) checkSize(entry, options.widenHalf ?? false);
  checkCoverage(entries, data.length);
  const tensors = new Map(entries.map((entry) => [entry.name, readTensor(entry, data, options.inPlace ?? false)]));
  return { tensors, metadata, widened: entries.filter((e) => e.dtypeName in halves).map((e) => e.name) };
}

function splitFile(
  bytes: Uint8Array,
  maxHeaderBytes: number,
): { readonly header: ReadonlyMap<string, StrictJson>; readonly data: Uint8Array } {
  if (bytes.length < 10) throw new DataError(`A safetensors file has 10 bytes or more; this one has ${bytes.length}.`);
  const declared = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (declared > BigInt(maxHeaderBytes)) {
    throw new DataError(`The safetensors header declares ${declared} bytes; at most ${maxHeaderBytes} are accepted.`);
  }
  const headerSize = Number(declared);
  if (8 + headerSize > bytes.length) {
    throw new DataError(
      `The safetensors file is cut off: its header declares ${headerSize} bytes, but ${bytes.length - 8} follow.`,
    );
  }
  if (headerSize === 0 || bytes[8] !== 0x7b)
    throw new DataError("A safetensors header begins with '{'; this one does not.");
  const header = parseStrictJson(decodeUtf8(bytes.subarray(8, 8 + headerSize)), { what: 'The safetensors header' });
  return { header: header as ReadonlyMap<string, StrictJson>, data: bytes.subarray(8 + headerSize) };
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataError('The safetensors header is not UTF-8.', { cause });
  }
}

function readMetadata(value: StrictJson): Readonly<Record<string, string>> {
  const entries = value instanceof Map ? [...value] : undefined;
  if (entries?.every((entry): entry is [string, string] => typeof entry[1] === 'string'))
    return Object.fromEntries(entries);
  throw new DataError(`'${metadataKey}' of a safetensors header must be an object of strings.`);
}

function readEntry(name: string, value: StrictJson): Entry {
  if (!(value instanceof Map) || value.size !== 3) {
    throw malformed(name, 'it must have exactly the keys dtype, shape and data_offsets');
  }
  const dtypeName = value.get('dtype');
  const shape = value.get('shape');
  const offsets = value.get('data_offsets');
  if (typeof dtypeName !== 'string') throw malformed(name, 'its dtype must be a string');
  if (!isSizes(shape)) throw malformed(name, 'its shape must be a list of integers ≥ 0');
  if (!isSizes(offsets) || offsets.length !== 2) throw malformed(name, 'its data_offsets must be two integers ≥ 0');
  return { name, dtypeName, shape, begin: offsets[0]!, end: offsets[1]! };
}

function isSizes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0 && !Object.is(item, -0));
}

function checkSize(entry: Entry, widenHalf: boolean): void {
  const dtype = dtypesByName.get(entry.dtypeName);
  const isHalf = widenHalf && entry.dtypeName in halves;
  if (dtype === undefined && !isHalf) {
    throw malformed(entry.name, `its dtype '${entry.dtypeName}' is not one of ${[...dtypesByName.keys()].join(', ')}`);
  }
  // The product is exact or infinite-sized: beyond 2^53 it can never equal the size of a buffer.
  const expected = sizeOf(entry.shape) * (dtype === undefined ? 2 : bytesPerElement(dtype));
  if (entry.end - entry.begin !== expected) {
    throw malformed(
      entry.name,
      `${entry.dtypeName} of shape [${entry.shape}] needs ${expected} bytes, but its data_offsets [${entry.begin}, ${entry.end}] give ${entry.end - entry.begin}`,
    );
  }
}

/** Every byte of the data belongs to exactly one tensor. */
function checkCoverage(entries: readonly Entry[], size: number): void {
  let covered = 0;
  for (const entry of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (entry.begin !== covered) {
      const problem = entry.begin < covered ? 'overlaps another tensor' : 'leaves a hole before it';
      throw malformed(entry.name, `it begins at byte ${entry.begin} and ${problem}: byte ${covered} was next`);
    }
    covered = entry.end;
  }
  if (covered !== size) {
    throw new DataError(`The safetensors file has ${size} bytes of data, but its tensors cover ${covered}.`);
  }
}

function readTensor(entry: Entry, data: Uint8Array, inPlace: boolean): Tensor {
  const part = data.subarray(entry.begin, entry.end);
  // Not `slice`, which shares memory when the data are a Buffer.
  const own = inPlace ? part : new Uint8Array(part);
  const widen = halves[entry.dtypeName];
  if (widen) return { dtype: 'float32', shape: entry.shape, data: widen(viewAs('uint16', own)) };
  const dtype = dtypesByName.get(entry.dtypeName)!;
  if (dtype === 'bool' && own.some((byte) => byte > 1))
    throw malformed(entry.name, 'a BOOL holds bytes other than 0 and 1');
  return { dtype, shape: entry.shape, data: viewAs(dtype, own) };
}

function malformed(name: string, problem: string): DataError {
  const shown = name.length > 100 ? `${name.slice(0, 100)}…` : name;
  return new DataError(`Tensor '${shown}' of the safetensors file is malformed: ${problem}.`);
}
