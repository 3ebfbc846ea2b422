/**
 * The record framing of TensorBoard's event files: length, CRC of the length, data, CRC of the data.
 * https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
 *
 * @module
 */
import { crc32c } from '../util/crc';

const headerBytes = 12;
const footerBytes = 4;

/** One record around `data`. */
export function frameRecord(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(headerBytes + data.length + footerBytes);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc(record.subarray(0, 8)), true);
  record.set(data, headerBytes);
  view.setUint32(headerBytes + data.length, maskedCrc(data), true);
  return record;
}

/**
 * The data of the whole records at the start of `bytes`, and where they end. What follows, if anything, is a record that a
 * crash cut off, or damage.
 */
export function readRecords(bytes: Uint8Array): { readonly records: readonly Uint8Array[]; readonly end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: Uint8Array[] = [];
  let at = 0;
  while (at + headerBytes + footerBytes <= bytes.length) {
    const length = view.getBigUint64(at, true);
    if (view.getUint32(at + 8, true) !== maskedCrc(bytes.subarray(at, at + 8))) break;
    if (length > BigInt(bytes.length - at - headerBytes - footerBytes)) break;
    const dataEnd = at + headerBytes + Number(length);
    const data = bytes.subarray(at + headerBytes, dataEnd);
    if (view.getUint32(dataEnd, true) !== maskedCrc(data)) break;
    records.push(data);
    at = dataEnd + footerBytes;
  }
  return { records, end: at };
}

/** A CRC rotated and shifted, so that the CRC of data that contain CRCs stays meaningful. */
function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
