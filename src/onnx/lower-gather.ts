/**
 * Reading along an axis by index, and its adjoint.
 *
 * @module
 */
import type { NodeOf } from '../graph/graph';
import { sizeOf } from '../tensor/tensor';
import type { OnnxWriter } from './writer';

/** Number of the element type in ONNX files. */
const INT64 = 7;

/** Indices as integers. The runtime counts negative ones from the end: they become too large ones, which it refuses. */
function checkedIndices(w: OnnxWriter, indices: string, length: number): string {
  const whole = w.node('Cast', [indices], { to: INT64 });
  const negative = w.node('Less', [whole, w.ints([0], [])]);
  return w.node('Where', [negative, w.ints([length], []), whole]);
}

export function lowerGather(w: OnnxWriter, node: NodeOf<'Gather'>, [x, indices]: readonly string[]): readonly string[] {
  const { axis } = node.attrs;
  const length = node.inputs[0]!.shape[axis]!;
  return [w.node('Gather', [x!, checkedIndices(w, indices!, length)], { axis })];
}

/** With one axis of indices, `[outer, count, inner]` is added into zeros `[outer, length, inner]`, in order. */
export function lowerGatherGrad(
  w: OnnxWriter,
  node: NodeOf<'GatherGrad'>,
  [g, indices]: readonly string[],
): readonly string[] {
  const { axis, length } = node.attrs;
  const shape = node.outputs[0]!.shape;
  const [outer, inner] = [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis + 1))];
  const count = sizeOf(node.inputs[1]!.shape);
  const flat = w.reshape(g!, [outer, count, inner]);
  const places = w.node('Expand', [
    w.reshape(checkedIndices(w, indices!, length), [1, count, 1]),
    w.ints([outer, count, inner]),
  ]);
  const zeros = w.node('Expand', [w.scalar(0), w.ints([outer, length, inner])]);
  const sums = w.node('ScatterElements', [zeros, places, flat], { axis: 1, reduction: 'add' });
  return [w.reshape(sums, shape)];
}
