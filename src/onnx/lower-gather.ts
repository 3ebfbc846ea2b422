/**
 * Reading along an axis by index, and its adjoint.
 *
 * @module
 */
import type { NodeOf } from '../graph/graph';
import { sizeOf } from '../tensor/tensor';
import type { OnnxWriter } from './writer';

/** Numbers of element types in ONNX files. */
const INT32 = 6;
const INT64 = 7;

/** Indices as integers. The runtime counts negative ones from the end: they become too large ones, which it refuses. */
function checkedIndices(w: OnnxWriter, indices: string, length: number): string {
  const whole = w.node('Cast', [indices], { to: INT64 });
  const negative = w.node('Less', [whole, w.ints([0], [])]);
  return w.node('Where', [negative, w.ints([length], []), whole]);
}

/** For WebGPU, which has no int64 and refuses no index: `places` has 0 for one outside, `blame` NaN, and else 0. */
function markedIndices(
  w: OnnxWriter,
  indices: string,
  length: number,
): { readonly places: string; readonly blame: string } {
  const inside = w.node('And', [
    w.node('GreaterOrEqual', [indices, w.scalar(0)]),
    w.node('Less', [indices, w.scalar(length)]),
  ]);
  return {
    places: w.node('Where', [inside, w.node('Cast', [indices], { to: INT32 }), w.places([0], [])]),
    blame: w.node('Where', [inside, w.scalar(0), w.scalar(Number.NaN)]),
  };
}

export function lowerGather(w: OnnxWriter, node: NodeOf<'Gather'>, [x, indices]: readonly string[]): readonly string[] {
  const { axis } = node.attrs;
  const { shape } = node.inputs[0]!;
  const length = shape[axis]!;
  if (w.target.device !== 'webgpu') return [w.node('Gather', [x!, checkedIndices(w, indices!, length)], { axis })];
  const { places, blame } = markedIndices(w, indices!, length);
  const alongside = [...node.inputs[1]!.shape, ...shape.slice(axis + 1).map(() => 1)];
  return [w.node('Add', [w.node('Gather', [x!, places], { axis }), w.reshape(blame, alongside)])];
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
  const onDevice = w.target.device === 'webgpu';
  const whole = onDevice ? markedIndices(w, indices!, length).places : checkedIndices(w, indices!, length);
  const places = w.node('Expand', [w.reshape(whole, [1, count, 1]), w.ints([outer, count, inner])]);
  const zeros = w.node('Expand', [w.scalar(0), w.ints([outer, length, inner])]);
  const sums = w.node('ScatterElements', [zeros, places, flat], { axis: 1, reduction: 'add' });
  return [w.reshape(sums, shape)];
}
