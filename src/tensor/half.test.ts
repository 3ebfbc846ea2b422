import { expect, test } from 'vitest';
import { widenBfloat16, widenFloat16 } from './half';

test('widens binary16, also subnormal, infinite and signed zero', () => {
  const bits = Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001, 0x03ff, 0x0400, 0x3555, 0x7c00, 0xfc00, 0x8000, 0x7e00);
  expect([...widenFloat16(bits)]).toEqual([
    1,
    -2,
    65504,
    2 ** -24,
    1023 * 2 ** -24,
    2 ** -14,
    0.333251953125,
    Infinity,
    -Infinity,
    -0,
    NaN,
  ]);
});

test('widens bfloat16', () => {
  const bits = Uint16Array.of(0x3f80, 0xc000, 0x0001, 0x7f80, 0x7fc0, 0x8000);
  expect([...widenBfloat16(bits)]).toEqual([1, -2, 2 ** -133, Infinity, NaN, -0]);
});
