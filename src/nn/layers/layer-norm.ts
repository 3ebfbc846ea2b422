/**
 * Layer normalisation (Ba et al. 2016, arXiv:1607.06450).
 *
 * @module
 */
import type { Builder } from '../../graph/builder';
import type { Value } from '../../graph/graph';
import { type Shape, sameShape, sizeOf } from '../../tensor/tensor';

export interface LayerNormOptions {
  /** The last axes of x, over which each row is normalised. */
  readonly shape: Shape;
  /** Scale and shift of that shape; 1 and 0 when omitted. */
  readonly weight?: Value;
  readonly bias?: Value;
  /** Added to the biased variance. Default 1e-5. */
  readonly epsilon?: number;
}

/** x `[..., ...shape]`, normalised over its last axes. @throws ShapeError when x does not end in them */
export function layerNorm(b: Builder, x: Value, { shape, weight, bias, epsilon = 1e-5 }: LayerNormOptions): Value {
  const outer = x.shape.slice(0, x.shape.length - shape.length);
  if (shape.length === 0 || !sameShape([...outer, ...shape], x.shape)) {
    throw b.shapeError(`layerNorm: the input [${x.shape}] must end in [${shape}], one axis or more.`);
  }
  // Each row is a sample of one channel: a group of its own.
  const rows = b.reshape(x, [sizeOf(outer), 1, sizeOf(shape)]);
  const [one, zero] = [b.expand(b.scalar(1), [1]), b.expand(b.scalar(0), [1])];
  const normal = b.reshape(b.emit('GroupNorm', [rows, one, zero], { groups: 1, epsilon }), x.shape);
  const scaled = weight ? b.mul(normal, weight) : normal;
  return bias ? b.add(scaled, bias) : scaled;
}
