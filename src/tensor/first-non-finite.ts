import type { Tensor } from './tensor';

/** Index of the first NaN or infinite element, or -1. */
export function firstNonFinite({ data }: Tensor): number {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return -1;
  // NaN and infinite numbers times zero are NaN, which no later addition undoes: one test at the end. Four sums, because one
  // would wait for each addition.
  const { length } = data;
  const whole = length - (length % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < whole; i += 4) {
    a += data[i]! * 0;
    b += data[i + 1]! * 0;
    c += data[i + 2]! * 0;
    d += data[i + 3]! * 0;
  }
  for (let i = whole; i < length; i++) a += data[i]! * 0;
  return a + b + c + d === 0 ? -1 : data.findIndex((x) => !Number.isFinite(x));
}
