import fc from 'fast-check';
import { expect, test } from 'vitest';
import { arbitraryTensors } from '../../test/support/arbitrary-tensors';
import { DataError } from '../errors';
import { decodeSafetensors, encodeSafetensors } from './safetensors';
import { float32, type NamedTensors, type Tensor, tensor } from './tensor';

/** A file with the header and data given, as an attacker could write it. */
function file(header: unknown, data: Uint8Array | number = 0): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const body = typeof data === 'number' ? new Uint8Array(data) : data;
  const bytes = new Uint8Array(8 + json.length + body.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(body, 8 + json.length);
  return bytes;
}

function f32(shape: unknown, begin: unknown, end: unknown): unknown {
  return { dtype: 'F32', shape, data_offsets: [begin, end] };
}

test('any tensors and metadata come back as they were, in order', () => {
  fc.assert(
    fc.property(arbitraryTensors, fc.dictionary(fc.string(), fc.string()), (tensors, metadata) => {
      const read = decodeSafetensors(encodeSafetensors(tensors, metadata));
      expect([...read.tensors]).toEqual([...tensors]);
      expect(read.metadata).toEqual(metadata);
    }),
  );
});

test('equal tensors give equal bytes, in the layout of the format', () => {
  const tensors: NamedTensors = new Map([['w', float32([2], [1, -2])]]);
  const bytes = encodeSafetensors(tensors, { format: 'pt' });
  expect(bytes).toEqual(encodeSafetensors(tensors, { format: 'pt' }));
  const json = '{"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}';
  expect(bytes[0]).toBe(Math.ceil(json.length / 8) * 8);
  expect(new TextDecoder().decode(bytes.subarray(8, 8 + json.length))).toBe(json);
  expect([...bytes.subarray(-8)]).toEqual([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]);
});

test('keeps names that look like numbers in their order', () => {
  const names = ['10', 'a', '2'];
  const tensors = new Map(names.map((name) => [name, float32([1], [1])]));
  expect([...decodeSafetensors(encodeSafetensors(tensors)).tensors.keys()]).toEqual(names);
});

test('lays wide elements first, so that every tensor is aligned', () => {
  const bytes = encodeSafetensors(
    new Map<string, Tensor>([
      ['flag', tensor('bool', [1], Uint8Array.of(1))],
      ['w', float32([1], [1])],
      ['steps', tensor('int64', [1], BigInt64Array.of(7n))],
    ]),
  );
  const header = new TextDecoder().decode(bytes.subarray(8, bytes.length - 13));
  expect(header).toMatch(/"flag":.*\[12,13\].*"w":.*\[8,12\].*"steps":.*\[0,8\]/);
});

test('each tensor owns its memory', () => {
  const { tensors } = decodeSafetensors(
    encodeSafetensors(
      new Map([
        ['a', float32([2], [1, 2])],
        ['b', float32([1], [3])],
      ]),
    ),
  );
  expect(tensors.get('a')!.data.buffer.byteLength).toBe(8);
  const flags = Buffer.from(encodeSafetensors(new Map([['f', tensor('bool', [2], Uint8Array.of(1, 0))]])));
  expect(decodeSafetensors(flags).tensors.get('f')!.data.buffer.byteLength).toBe(2);
});

test('widens half precision only when asked', () => {
  const bytes = file(
    {
      h: { dtype: 'F16', shape: [2], data_offsets: [0, 4] },
      b: { dtype: 'BF16', shape: [1], data_offsets: [4, 6] },
    },
    Uint8Array.of(0, 0x3c, 0, 0xc0, 0x80, 0x3f),
  );
  expect(() => decodeSafetensors(bytes)).toThrow("its dtype 'F16' is not one of F32");
  const { tensors, widened } = decodeSafetensors(bytes, { widenHalf: true });
  expect([...tensors.get('h')!.data]).toEqual([1, -2]);
  expect([...tensors.get('b')!.data]).toEqual([1]);
  expect(widened).toEqual(['h', 'b']);
});

test('NaN and infinity are values like others', () => {
  const tensors = new Map([['w', float32([2], [NaN, -Infinity])]]);
  expect(decodeSafetensors(encodeSafetensors(tensors)).tensors).toEqual(tensors);
});

const bad: readonly (readonly [what: string, bytes: Uint8Array, message: RegExp])[] = [
  ['fewer than ten bytes', new Uint8Array(9), /10 bytes or more; this one has 9/],
  ['an empty header', file('', 8), /begins with '\{'/],
  [
    'a header length of 2^63',
    Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x80, 0x7b, 0x7d),
    /declares 9223372036854775808 bytes/,
  ],
  [
    'a header longer than the file',
    Uint8Array.of(90, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d),
    /cut off: its header declares 90/,
  ],
  ['a header that is an array', file('[{}]'), /begins with '\{'/],
  ['a header after a space', file(' {}'), /begins with '\{'/],
  ['junk after the header', file('{} x'), /malformed at character 3/],
  ['a header that is not UTF-8', file('{"\u00ff":0}').fill(0xff, 10, 12), /not UTF-8/],
  ['duplicate names', file('{"a":0,"a":0}'), /has the key "a" twice/],
  ['a missing key', file({ a: { dtype: 'F32', shape: [] } }), /exactly the keys/],
  ['an extra key', file({ a: { ...Object(f32([], 0, 4)), x: 1 } }, 4), /exactly the keys/],
  [
    'an unknown dtype',
    file({ a: { dtype: 'F8_E4M3', shape: [1], data_offsets: [0, 1] } }, 1),
    /'F8_E4M3' is not one of/,
  ],
  [
    'a dtype named after a property',
    file({ a: { dtype: 'constructor', shape: [], data_offsets: [0, 1] } }, 1),
    /not one of/,
  ],
  [
    'a dtype that is no string',
    file({ a: { dtype: 4, shape: [1], data_offsets: [0, 4] } }, 4),
    /dtype must be a string/,
  ],
  ['a negative size', file({ a: f32([-1], 0, 4) }, 4), /shape must be a list of integers/],
  ['a fractional size', file({ a: f32([1.5], 0, 6) }, 6), /shape must be a list of integers/],
  ['a shape that overflows', file({ a: f32([2 ** 40, 2 ** 40], 0, 4) }, 4), /needs 4\.8\d+e\+24 bytes/],
  ['a shape that wraps around 2^64', file({ a: f32([2 ** 31, 2 ** 31, 4], 0, 0) }, 0), /needs/],
  ['a shape and data of different sizes', file({ a: f32([2], 0, 4) }, 4), /needs 8 bytes, but .* give 4/],
  ['reversed offsets', file({ a: f32([1], 4, 0) }, 4), /give -4/],
  ['offsets beyond the data', file({ a: f32([2], 0, 8) }, 4), /has 4 bytes of data, but its tensors cover 8/],
  ['a hole', file({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12), /'b' .*begins at byte 8 and leaves a hole/],
  ['an overlap', file({ a: f32([2], 0, 8), b: f32([1], 4, 8) }, 8), /'b' .*begins at byte 4 and overlaps/],
  ['data that no tensor covers', file({ a: f32([1], 0, 4) }, 5), /has 5 bytes of data, but its tensors cover 4/],
  ['metadata that are no strings', file({ __metadata__: { a: 1 } }), /must be an object of strings/],
  [
    'a bool of 2',
    file({ a: { dtype: 'BOOL', shape: [1], data_offsets: [0, 1] } }, Uint8Array.of(2)),
    /other than 0 and 1/,
  ],
  ['a name of a megabyte', file({ ['n'.repeat(2 ** 20)]: f32([1], 0, 4) }, 4), /at most 1048576 are accepted/],
];

test.each(bad)('refuses %s', (_, bytes, message) => {
  expect(() => decodeSafetensors(bytes)).toThrow(message);
  expect(() => decodeSafetensors(bytes)).toThrow(DataError);
});

test('accepts empty tensors and a file without tensors', () => {
  const bytes = file({ a: f32([0, 3], 0, 0), b: f32([1], 0, 4), c: f32([0], 4, 4) }, 4);
  expect(decodeSafetensors(bytes).tensors.get('a')).toEqual(float32([0, 3], []));
  expect(decodeSafetensors(file({})).tensors.size).toBe(0);
});

test('a hundred thousand tensors are refused by the bound on the header', () => {
  const header = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`t${i}`, f32([0], 0, 0)]));
  expect(() => decodeSafetensors(file(header))).toThrow(/at most 1048576 are accepted/);
});

test('a mutated file gives tensors or a DataError, nothing else', () => {
  const valid = encodeSafetensors(
    new Map([
      ['a', float32([2, 2], [1, 2, 3, 4])],
      ['b', float32([], [5])],
    ]),
    { k: 'v' },
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 3 }), (changes) => {
      const bytes = valid.slice();
      for (const [at, value] of changes) bytes[at] = value;
      try {
        decodeSafetensors(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(DataError);
      }
    }),
    { numRuns: 500 },
  );
});

test('reads in place where it is told to, and gives each tensor memory of its own else', () => {
  const tensors: NamedTensors = new Map<string, Tensor>([
    ['a', float32([2], [1, 2])],
    ['b', tensor('uint8', [3], Uint8Array.of(4, 5, 6))],
  ]);
  const bytes = encodeSafetensors(tensors);
  const read = decodeSafetensors(bytes, { inPlace: true });
  expect(read.tensors).toEqual(tensors);
  for (const { data } of read.tensors.values()) expect(data.buffer).toBe(bytes.buffer);
  for (const { data } of decodeSafetensors(bytes).tensors.values()) expect(data.buffer).not.toBe(bytes.buffer);
  const moved = new Uint8Array(bytes.length + 1);
  moved.set(bytes, 1);
  expect(decodeSafetensors(moved.subarray(1), { inPlace: true }).tensors).toEqual(tensors);
});
