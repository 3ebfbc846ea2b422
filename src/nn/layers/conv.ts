/**
 * "Same" convolutions: odd kernels, padded by half of them.
 *
 * @module
 */
import type { Builder } from '../../graph/builder';
import type { Value } from '../../graph/graph';
import { sameShape } from '../../tensor/tensor';

/** Convolution of x `[N, I, ...]` by weight `[O, I, ...kernel]`, zero padding (kernel − 1)/2: ⌈n/stride⌉ along each axis. */
export function conv(b: Builder, x: Value, weight: Value, stride = 1): Value {
  const kernel = weight.shape.slice(2);
  return b.conv(x, weight, { stride: kernel.map(() => stride), padding: kernel.map((k) => (k - 1) / 2) });
}

/** Adds one number per channel, `[C]`. @throws ShapeError when there are more or fewer */
export function addBias(b: Builder, x: Value, bias: Value): Value {
  if (!sameShape(bias.shape, x.shape.slice(1, 2))) {
    throw b.shapeError(
      `The bias must be [${x.shape[1]}], one number per channel of [${x.shape}], not [${bias.shape}].`,
    );
  }
  return b.add(x, b.reshape(bias, [1, x.shape[1]!, ...x.shape.slice(2).map(() => 1)]));
}
