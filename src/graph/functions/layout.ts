/**
 * Functions that put numbers in place.
 *
 * @module
 */
import type { Builder } from '../builder';
import type { Value } from '../graph';
import type { PadAttrs } from '../ops/layout';

/** All values, one after the other along the axis: 1, the channels, when omitted. */
export function concat(b: Builder, values: readonly Value[], axis = 1): Value {
  return values.length === 1 ? values[0]! : b.emit('Concat', values, { axis });
}

/** Values of one shape side by side along a new axis. */
export function stack(b: Builder, values: readonly Value[], axis = 1): Value {
  const apart = values.map((x) => b.reshape(x, [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)]));
  return concat(b, apart, axis);
}

/** The values that make up x along the axis, without it: those that were stacked, where x is a stack. */
export function unstack(b: Builder, x: Value, axis = 1): readonly Value[] {
  const maker = b.nodes.findLast(({ outputs }) => outputs[0] === x);
  const stacked = maker?.op === 'Concat' && maker.attrs.axis === axis && maker.inputs.length === x.shape[axis];
  const apart = stacked
    ? maker.inputs
    : Array.from({ length: x.shape[axis]! }, (_, i) => sliceAxis(b, x, axis, i, i + 1));
  return apart.map((part) => b.reshape(part, x.shape.toSpliced(axis, 1)));
}

/** `[start, end)` of one axis, every `step`th: 0 ≤ start < end ≤ length. */
export function sliceAxis(b: Builder, x: Value, axis: number, start: number, end: number, step = 1): Value {
  if (start === 0 && end === x.shape[axis] && step === 1) return x;
  return b.emit('Slice', [x], {
    start: x.shape.map((_, i) => (i === axis ? start : 0)),
    end: x.shape.map((n, i) => (i === axis ? end : n)),
    step: x.shape.map((_, i) => (i === axis ? step : 1)),
  });
}

/** Parts of the given lengths along the axis, one after the other. @throws ShapeError unless they fill the axis */
export function split(b: Builder, x: Value, lengths: readonly number[], axis = 1): readonly Value[] {
  if (lengths.reduce((sum, n) => sum + n, 0) !== x.shape[axis]) {
    throw b.shapeError(`Split: parts of [${lengths}] do not fill axis ${axis} of [${x.shape}].`);
  }
  let end = 0;
  return lengths.map((n) => {
    end += n;
    return sliceAxis(b, x, axis, end - n, end);
  });
}

/**
 * x `[N, C, ...spatial]` with a margin around its spatial axes.
 *
 * @param begin elements before each spatial axis
 * @param end elements after each; as many as before when omitted
 */
export function padSpatial(
  b: Builder,
  x: Value,
  mode: PadAttrs['mode'],
  begin: readonly number[],
  end: readonly number[] = begin,
): Value {
  if ([...begin, ...end].every((n) => n === 0)) return x;
  return b.emit('Pad', [x], { mode, begin: [0, 0, ...begin], end: [0, 0, ...end] });
}

/** x[indices] along the axis, which the axes of `indices` (whole numbers from 0) replace. */
export function gather(b: Builder, x: Value, indices: Value, axis = 0): Value {
  return b.emit('Gather', [x, indices], { axis });
}

/**
 * x `[N, C·block^d, ...n]` as `[N, C, ...n·block]`: the sub-pixel layer of Shi et al. (2016, arXiv:1609.05158), as PyTorch's
 * `pixel_shuffle`, for images of any number of axes. @throws ShapeError when channels are no such multiple
 */
export function pixelShuffle(b: Builder, x: Value, block: number): Value {
  return b.emit('PixelShuffle', [x], { block });
}

/** 0/1 from class numbers: `[N, ...]` to `[N, classes, ...]`; zeros only for numbers outside [0, classes). */
export function oneHot(b: Builder, labels: Value, classes: number): Value {
  const [samples, ...spatial] = labels.shape;
  const numbers = Array.from({ length: classes }, (_, i) => i);
  const table = b.emit('Constant', [], { shape: [1, classes, ...spatial.map(() => 1)], values: numbers });
  return b.emit('Equal', [b.reshape(labels, [samples!, 1, ...spatial]), table], {});
}
