/**
 * Numbers that may differ from axis to axis: kernels, strides, paddings.
 *
 * @module
 */

/** One number for every axis, or one number per axis. */
export type PerAxis = number | readonly number[];

/** One number per axis. */
export function perAxis(dims: number, value: PerAxis): readonly number[] {
  return typeof value === 'number' ? new Array<number>(dims).fill(value) : value;
}

/** What every length must be a multiple of, so that strides that follow each other divide it. */
export function commonDivisor(dims: number, strides: readonly PerAxis[]): number {
  const whole = perAxis(dims, 1).map((_, axis) => strides.reduce<number>((n, s) => n * perAxis(dims, s)[axis]!, 1));
  return whole.reduce(leastCommonMultiple, 1);
}

/** Infinity where it is no exact number. */
function leastCommonMultiple(a: number, b: number): number {
  let [divisor, rest] = [a, b];
  while (rest > 0) [divisor, rest] = [rest, divisor % rest];
  const multiple = (a / divisor) * b;
  return Number.isSafeInteger(multiple) ? multiple : Number.POSITIVE_INFINITY;
}
