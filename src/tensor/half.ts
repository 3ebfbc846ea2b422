/**
 * Half-precision numbers widened to float32, which holds every one of them exactly.
 *
 * @module
 */

/** IEEE 754 binary16 bit patterns as float32. */
export function widenFloat16(bits: Uint16Array): Float32Array {
  return Float32Array.from(bits, float16Value);
}

/** bfloat16 bit patterns (the upper half of a float32) as float32. */
export function widenBfloat16(bits: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(bits, (half) => half << 16).buffer);
}

/** The number that an IEEE 754 binary16 bit pattern stands for. */
export function float16Value(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
