/** The deterministic fill behind the golden numbers: a 32-bit integer hash of tensor `i` and flat index `j`, in [0, 1). */
export function fill(i: number, j: number): number {
  let h = (Math.imul(j, 0x9e3779b1) + Math.imul(i, 0x85ebca77) + 0xc2b2ae3d) >>> 0;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  h ^= h >>> 16;
  return (h >>> 0) / 2 ** 32;
}

/** `length` float32 values of tensor `i`. */
export function filled(i: number, length: number): Float32Array {
  return Float32Array.from({ length }, (_, j) => fill(i, j));
}
