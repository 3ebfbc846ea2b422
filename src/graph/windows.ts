/**
 * Windows that slide along an axis: of convolutions and pooling.
 *
 * @module
 */

/** How many windows of `kernel` taps, `dilation` apart, fit along `length` with `padding` on both sides: < 1 if none. */
export function windowLength(length: number, kernel: number, stride: number, padding: number, dilation = 1): number {
  return Math.floor((length + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;
}
