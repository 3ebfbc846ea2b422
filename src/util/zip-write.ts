/**
 * Zip archives in memory: a writer of uncompressed entries with fixed metadata (equal entries give equal bytes) and a
 * bounds-checked reader of stored and deflated entries. No zip64: an archive is below 4 GiB. Format: PKWARE APPNOTE 6.3.
 *
 * @module
 */
import { DataError } from '../errors';
import { crc32 } from './crc';

export interface ZipEntry {
  readonly name: string;
  readonly data: Uint8Array;
}

const localHeaderSize = 30;
const centralHeaderSize = 46;
const endRecordSize = 22;
const utf8Names = 0x0800;
/** 1 January 1980, the earliest date a zip can hold. */
const fixedDate = 0x0021;

/**
 * An archive of `entries`, stored uncompressed, in the order given. The data of each entry starts at a multiple of
 * `alignment` bytes, so that a reader may map it. @throws DataError when the archive would reach 4 GiB.
 */
export function writeZip(entries: readonly ZipEntry[], alignment = 64): Uint8Array {
  const placed = placeEntries(entries, alignment);
  const directoryAt = placed.at(-1)?.end ?? 0;
  const directorySize = placed.reduce((size, entry) => size + centralHeaderSize + entry.name.length, 0);
  const total = directoryAt + directorySize + endRecordSize;
  if (total >= 2 ** 32 || entries.length >= 0xffff) {
    throw new DataError(
      `A zip of ${entries.length} entries and ${total} bytes is beyond the format's 65534 and 4 GiB.`,
    );
  }
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  let at = directoryAt;
  for (const entry of placed) {
    writeLocalHeader(view, bytes, entry);
    bytes.set(entry.data, entry.dataAt);
    writeCentralHeader(view, bytes, entry, at);
    at += centralHeaderSize + entry.name.length;
  }
  view.setUint32(at, 0x06054b50, true);
  view.setUint16(at + 8, placed.length, true);
  view.setUint16(at + 10, placed.length, true);
  view.setUint32(at + 12, directorySize, true);
  view.setUint32(at + 16, directoryAt, true);
  return bytes;
}

interface PlacedEntry {
  readonly name: Uint8Array;
  readonly data: Uint8Array;
  readonly crc: number;
  readonly headerAt: number;
  readonly dataAt: number;
  readonly end: number;
}

function placeEntries(entries: readonly ZipEntry[], alignment: number): readonly PlacedEntry[] {
  let headerAt = 0;
  return entries.map((entry) => {
    const name = new TextEncoder().encode(entry.name);
    // An extra field has a header of four bytes, so the padding is none or at least four.
    const earliest = headerAt + localHeaderSize + name.length;
    const dataAt = earliest % alignment === 0 ? earliest : Math.ceil((earliest + 4) / alignment) * alignment;
    const placed = {
      name,
      data: entry.data,
      crc: crc32(entry.data),
      headerAt,
      dataAt,
      end: dataAt + entry.data.length,
    };
    headerAt = placed.end;
    return placed;
  });
}

function writeLocalHeader(view: DataView, bytes: Uint8Array, entry: PlacedEntry): void {
  const at = entry.headerAt;
  const extraAt = at + localHeaderSize + entry.name.length;
  view.setUint32(at, 0x04034b50, true);
  writeCommonFields(view, at + 4, entry, entry.dataAt - extraAt);
  bytes.set(entry.name, at + localHeaderSize);
  if (entry.dataAt > extraAt) {
    // 'FB' is the id that torch gives to its own padding fields.
    view.setUint16(extraAt, 0x4246, true);
    view.setUint16(extraAt + 2, entry.dataAt - extraAt - 4, true);
  }
}

function writeCentralHeader(view: DataView, bytes: Uint8Array, entry: PlacedEntry, at: number): void {
  view.setUint32(at, 0x02014b50, true);
  view.setUint16(at + 4, 20, true);
  writeCommonFields(view, at + 6, entry, 0);
  view.setUint32(at + 42, entry.headerAt, true);
  bytes.set(entry.name, at + centralHeaderSize);
}

/** The fields that the local and the central header share, from "version needed" to "extra field length". */
function writeCommonFields(view: DataView, at: number, entry: PlacedEntry, extraLength: number): void {
  view.setUint16(at, 20, true);
  view.setUint16(at + 2, utf8Names, true);
  view.setUint16(at + 8, fixedDate, true);
  view.setUint32(at + 10, entry.crc, true);
  view.setUint32(at + 14, entry.data.length, true);
  view.setUint32(at + 18, entry.data.length, true);
  view.setUint16(at + 22, entry.name.length, true);
  view.setUint16(at + 24, extraLength, true);
}
