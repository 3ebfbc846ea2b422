import fc from 'fast-check';
import { expect, test } from 'vitest';
import { frameRecord, readRecords } from './tf-record';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

test('frames a record as TensorFlow does', () => {
  // What TensorBoard's RecordWriter writes for b'hello'.
  expect(hex(frameRecord(new TextEncoder().encode('hello')))).toBe('0500000000000000eab2043e68656c6c6fbb1f1c19');
});

test('reads back what was framed', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 5 }), (records) => {
      const bytes = Buffer.concat(records.map(frameRecord));
      const read = readRecords(bytes);
      expect(read.records.map(hex)).toEqual(records.map(hex));
      expect(read.end).toBe(bytes.length);
    }),
  );
});

test('stops before a record that is cut off or damaged', () => {
  const whole = frameRecord(Uint8Array.of(1, 2, 3));
  for (let cut = 0; cut < whole.length; cut++) {
    expect(readRecords(Buffer.concat([whole, whole.subarray(0, cut)])).end).toBe(whole.length);
    const damaged = whole.slice();
    damaged[cut]! ^= 0x40;
    expect(readRecords(Buffer.concat([whole, damaged])).records).toHaveLength(1);
  }
});
