import { expect, test } from 'vitest';
import { crc32, crc32c } from './crc';

const digits = new TextEncoder().encode('123456789');
const ascending = Uint8Array.from({ length: 32 }, (_, i) => i);

test('CRC-32 gives the check value of the catalogue', () => {
  expect(crc32(digits)).toBe(0xcbf43926);
  expect(crc32(new Uint8Array(0))).toBe(0);
});

test('CRC-32C gives the vectors of RFC 3720, appendix B.4', () => {
  expect(crc32c(digits)).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(ascending)).toBe(0x46dd794e);
  expect(crc32c(ascending.toReversed())).toBe(0x113fdb5c);
});
