/**
 * Functions along axes.
 *
 * @module
 */
import { sizeOf } from '../../tensor/tensor';
import type { Builder } from '../builder';
import type { Value } from '../graph';

const all = (x: Value): readonly number[] => x.shape.map((_, i) => i);

/** The mean over `axes` (all when omitted), which stay as axes of length 1. */
export function reduceMean(b: Builder, x: Value, axes: readonly number[] = all(x)): Value {
  return b.scale(b.reduceSum(x, axes), 1 / sizeOf(axes.map((axis) => x.shape[axis]!)));
}

/** The maximum over `axes` (all when omitted), which stay as axes of length 1. */
export function reduceMax(b: Builder, x: Value, axes: readonly number[] = all(x)): Value {
  return axes.length === 0 ? x : b.emit('ReduceMax', [x], { axes });
}

/** The minimum over `axes` (all when omitted), which stay as axes of length 1. */
export function reduceMin(b: Builder, x: Value, axes: readonly number[] = all(x)): Value {
  return b.neg(reduceMax(b, b.neg(x), axes));
}

/** eˣ / Σ eˣ along the axis: 1, the channels, when omitted. */
export const softmax = (b: Builder, x: Value, axis = 1): Value => b.emit('Softmax', [x], { axis });

/** x − ln Σ eˣ along the axis: 1, the channels, when omitted. */
export const logSoftmax = (b: Builder, x: Value, axis = 1): Value => b.emit('LogSoftmax', [x], { axis });
