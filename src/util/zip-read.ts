/**
 * A bounds-checked reader of zip archives in memory: entries are listed from the central directory and their data taken
 * (and inflated) on demand, never beyond the size that a limit allows.
 *
 * @module
 */
import { inflateRawSync } from 'node:zlib';
import { DataError } from '../errors';
import { crc32 } from './crc';

export interface ZipReadOptions {
  /** Largest size of one unpacked entry, in bytes. Default 2 GiB. */
  readonly maxEntryBytes?: number;
  /** Default 100 000. */
  readonly maxEntries?: number;
}

export interface ZipFile {
  /** Names in the order of the directory. */
  readonly names: readonly string[];
  has(name: string): boolean;
  /** Unpacked size of an entry as its header declares it. @throws DataError when there is no such entry. */
  sizeOf(name: string): number;
  /** The data of an entry; of a stored one without a copy. @throws DataError when missing or damaged. */
  read(name: string): Uint8Array;
}

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packedSize: number;
  readonly size: number;
  readonly headerAt: number;
}

const endRecordSize = 22;
const endSignature = 0x06054b50;
const stored = 0;
const deflated = 8;

/** Opens an archive. @throws DataError when the bytes are not a zip, or one with duplicate names or beyond the limits. */
export function readZip(bytes: Uint8Array, options: ZipReadOptions = {}): ZipFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries = new Map<string, Entry>();
  for (const entry of listEntries(view, bytes, options)) {
    if (entries.has(entry.name)) throw new DataError(`The zip has two entries named '${entry.name}'.`);
    entries.set(entry.name, entry);
  }
  const find = (name: string): Entry => {
    const entry = entries.get(name);
    if (entry === undefined) throw new DataError(`The zip has no entry '${name}'.`);
    return entry;
  };
  return {
    names: [...entries.keys()],
    has: (name) => entries.has(name),
    sizeOf: (name) => find(name).size,
    read: (name) => readEntry(view, bytes, find(name)),
  };
}

function listEntries(view: DataView, bytes: Uint8Array, options: ZipReadOptions): readonly Entry[] {
  const endAt = findEndRecord(view);
  const count = view.getUint16(endAt + 10, true);
  const size = view.getUint32(endAt + 12, true);
  const start = view.getUint32(endAt + 16, true);
  const { maxEntries = 100_000, maxEntryBytes = 2 ** 31 } = options;
  if (count === 0xffff || size === 0xffffffff || start === 0xffffffff) {
    throw new DataError('The archive uses zip64, which is not supported: it is 4 GiB or larger.');
  }
  if (count > maxEntries) throw new DataError(`The zip has ${count} entries; at most ${maxEntries} are accepted.`);
  if (start + size > endAt) throw new DataError('The zip is damaged: its directory runs past its end.');
  const entries: Entry[] = [];
  for (let i = 0, at = start; i < count; i++) {
    if (at + 46 > start + size || view.getUint32(at, true) !== 0x02014b50) {
      throw new DataError(`The zip is damaged: directory entry ${i} of ${count} is malformed.`);
    }
    const nameLength = view.getUint16(at + 28, true);
    const next = at + 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (next > start + size) throw new DataError('The zip is damaged: a directory entry runs past the directory.');
    entries.push(
      readDirectoryEntry(view, at, decodeName(bytes.subarray(at + 46, at + 46 + nameLength)), maxEntryBytes),
    );
    at = next;
  }
  return entries;
}

/** Position of the end record, which may be followed by a comment of up to 65535 bytes. */
function findEndRecord(view: DataView): number {
  const last = view.byteLength - endRecordSize;
  for (let at = last; at >= 0 && at >= last - 0xffff; at--) {
    if (
      view.getUint32(at, true) === endSignature &&
      at + endRecordSize + view.getUint16(at + 20, true) <= view.byteLength
    ) {
      return at;
    }
  }
  throw new DataError('This is not a zip archive, or it is cut off: it has no end record.', {
    hint: 'Copy the file again from its source and compare checksums.',
  });
}

function readDirectoryEntry(view: DataView, at: number, name: string, maxEntryBytes: number): Entry {
  const method = view.getUint16(at + 10, true);
  const size = view.getUint32(at + 24, true);
  if (view.getUint16(at + 8, true) & 1) throw new DataError(`The zip entry '${name}' is encrypted.`);
  if (method !== stored && method !== deflated) {
    throw new DataError(
      `The zip entry '${name}' uses compression method ${method}; only stored (0) and deflated (8) are read.`,
    );
  }
  if (size > maxEntryBytes) {
    throw new DataError(`The zip entry '${name}' declares ${size} bytes; at most ${maxEntryBytes} are accepted.`);
  }
  return {
    name,
    method,
    size,
    crc: view.getUint32(at + 16, true),
    packedSize: view.getUint32(at + 20, true),
    headerAt: view.getUint32(at + 42, true),
  };
}

function decodeName(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataError('A name in the zip is not UTF-8.', { cause });
  }
}

function readEntry(view: DataView, bytes: Uint8Array, entry: Entry): Uint8Array {
  const at = entry.headerAt;
  if (at + 30 > bytes.length || view.getUint32(at, true) !== 0x04034b50) {
    throw new DataError(`The zip is damaged: '${entry.name}' has no header where the directory says.`);
  }
  const start = at + 30 + view.getUint16(at + 26, true) + view.getUint16(at + 28, true);
  if (start + entry.packedSize > bytes.length) throw new DataError(`The zip is cut off inside '${entry.name}'.`);
  const packed = bytes.subarray(start, start + entry.packedSize);
  const data = entry.method === stored ? packed : inflate(packed, entry);
  if (data.length !== entry.size || crc32(data) !== entry.crc) {
    throw new DataError(`The zip entry '${entry.name}' is damaged: its size or checksum is not the one declared.`, {
      hint: 'Copy or download the file again.',
    });
  }
  return data;
}

/** Inflates at most the declared size: a bomb that declares less than it holds stops there. */
function inflate(packed: Uint8Array, entry: Entry): Uint8Array {
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.size) });
  } catch (cause) {
    throw new DataError(`The zip entry '${entry.name}' does not unpack to the ${entry.size} bytes it declares.`, {
      cause,
    });
  }
}
