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

/** What the length of each axis must be a multiple of, so that strides that follow each other divide it. */
export function strideProducts(dims: number, strides: readonly PerAxis[]): readonly number[] {
  return perAxis(dims, 1).map((_, axis) => strides.reduce<number>((n, s) => n * perAxis(dims, s)[axis]!, 1));
}

/** Whether each length is a multiple, 1 or more times, of its axis' divisor. */
export function areMultiples(lengths: readonly number[], divisor: PerAxis): boolean {
  const divisors = perAxis(lengths.length, divisor);
  return divisors.length === lengths.length && lengths.every((n, i) => n > 0 && n % divisors[i]! === 0);
}

/** The multiples of the divisors that lie next to the lengths; not zero. */
export function nearestMultiples(lengths: readonly number[], divisor: PerAxis): readonly number[] {
  const divisors = perAxis(lengths.length, divisor);
  return lengths.map((n, i) => Math.max(1, Math.round(n / divisors[i]!)) * divisors[i]!);
}

/** "8", or "8, 8 and 4" where the axes differ. */
export function perAxisText(value: PerAxis): string {
  const all = typeof value === 'number' ? [value] : value;
  if (all.every((n) => n === all[0])) return String(all[0]);
  return `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
}
