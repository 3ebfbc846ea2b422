import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DataError } from '../errors';
import { crc32 } from './crc';
import { readZip } from './zip-read';
import { writeZip, type ZipEntry } from './zip-write';

const entries: readonly ZipEntry[] = [
  { name: 'a/data.txt', data: new TextEncoder().encode('hello') },
  { name: 'a/größe', data: new Uint8Array(0) },
  { name: 'a/data/0', data: Uint8Array.from({ length: 1000 }, (_, i) => i) },
];

/** One deflated entry with the header fields given, as an attacker could write them. */
function deflatedZip(data: Uint8Array, declaredSize = data.length): Uint8Array {
  const packed = new Uint8Array(deflateRawSync(data));
  const bytes = writeZip([{ name: 'x', data: packed }]);
  const view = new DataView(bytes.buffer);
  const directory = view.getUint32(bytes.length - 6, true);
  view.setUint16(directory + 10, 8, true);
  view.setUint32(directory + 16, crc32(data), true);
  view.setUint32(directory + 24, declaredSize, true);
  return bytes;
}

test('reads back what was written, in order', () => {
  const file = readZip(writeZip(entries));
  expect(file.names).toEqual(entries.map((entry) => entry.name));
  for (const { name, data } of entries) expect(file.read(name)).toEqual(data);
  expect(file.sizeOf('a/data/0')).toBe(1000);
});

test('aligns the data of every entry', () => {
  const bytes = writeZip(entries, 64);
  for (const { name, data } of entries) {
    if (data.length > 0) expect(readZip(bytes).read(name).byteOffset % 64).toBe(0);
  }
});

test('equal entries give equal bytes', () => {
  expect(writeZip(entries)).toEqual(writeZip(entries));
});

test('inflates deflated entries', () => {
  const data = new Uint8Array(5000).fill(7);
  expect(new Uint8Array(readZip(deflatedZip(data)).read('x'))).toEqual(data);
});

test('stops a bomb at the size that it declares', () => {
  expect(() => readZip(deflatedZip(new Uint8Array(10_000_000), 1000)).read('x')).toThrow(
    "'x' does not unpack to the 1000 bytes it declares",
  );
});

test('refuses an entry above the limit before it is unpacked', () => {
  expect(() => readZip(deflatedZip(new Uint8Array(5000)), { maxEntryBytes: 4999 })).toThrow(
    'at most 4999 are accepted',
  );
});

test('refuses duplicate names', () => {
  expect(() => readZip(writeZip([entries[0]!, entries[0]!]))).toThrow("two entries named 'a/data.txt'");
});

test('finds a changed byte by the checksum', () => {
  const bytes = writeZip(entries);
  bytes[bytes.indexOf('h'.charCodeAt(0), 40)]! ^= 1;
  expect(() => readZip(bytes).read('a/data.txt')).toThrow('is damaged');
});

test('refuses bytes that are no zip, and one that is cut off', () => {
  expect(() => readZip(new TextEncoder().encode('not a zip at all, but long enough'))).toThrow('no end record');
  expect(() => readZip(writeZip(entries).subarray(0, 900))).toThrow(DataError);
});

test('a mutated archive gives entries or a DataError, nothing else', () => {
  const valid = writeZip(entries);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 4 }), (changes) => {
      const bytes = valid.slice();
      for (const [at, value] of changes) bytes[at] = value;
      try {
        const file = readZip(bytes);
        for (const name of file.names) file.read(name);
      } catch (error) {
        expect(error).toBeInstanceOf(DataError);
      }
    }),
  );
});
