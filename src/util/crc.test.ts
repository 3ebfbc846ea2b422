import { describe, expect, test } from 'vitest';
import { crc32, crc32c, crc32InJs } from './crc';

const digits = new TextEncoder().encode('123456789');
const ascending = Uint8Array.from({ length: 32 }, (_, i) => i);

describe.each([
  ['the fastest one', crc32],
  ['the one in JavaScript', crc32InJs],
])('CRC-32, %s', (_, crc) => {
  test('gives the check value of the catalogue', () => {
    expect(crc(digits)).toBe(0xcbf43926);
    expect(crc(new Uint8Array(0))).toBe(0);
  });

  test('goes on after the bytes before', () => {
    expect(crc(digits.subarray(4), crc(digits.subarray(0, 4)))).toBe(0xcbf43926);
  });

  test('gives what zip files of other programs hold', () => {
    // python3 -c "import zlib; print(hex(zlib.crc32(bytes(range(256)) * 1024)))"
    const bytes = Uint8Array.from({ length: 1 << 18 }, (_, i) => i);
    expect(crc(bytes)).toBe(0xc790bff6);
  });
});

test('CRC-32C gives the vectors of RFC 3720, appendix B.4', () => {
  expect(crc32c(digits)).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(ascending)).toBe(0x46dd794e);
  expect(crc32c(ascending.toReversed())).toBe(0x113fdb5c);
});
