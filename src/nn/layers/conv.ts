/**
 * "Same" convolutions: odd kernels, padded by half of them.
 *
 * @module
 */
import type { Builder } from '../../graph/builder';
import type { Value } from '../../graph/graph';

/** Convolution of x `[N, I, ...]` by weight `[O, I, ...kernel]`, zero padding (kernel − 1)/2: ⌈n/stride⌉ along each axis. */
export function conv(b: Builder, x: Value, weight: Value, stride = 1): Value {
  const kernel = weight.shape.slice(2);
  return b.conv(x, weight, { stride: kernel.map(() => stride), padding: kernel.map((k) => (k - 1) / 2) });
}

/** Adds one number per channel. */
export function addBias(b: Builder, x: Value, bias: Value): Value {
  return b.add(x, b.reshape(bias, [1, x.shape[1]!, ...x.shape.slice(2).map(() => 1)]));
}
