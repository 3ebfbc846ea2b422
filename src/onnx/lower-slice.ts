/**
 * Slices and their adjoint.
 *
 * @module
 */
import type { NodeOf } from '../graph/graph';
import type { Shape } from '../tensor/tensor';
import type { OnnxWriter } from './writer';

export function lowerSlice(w: OnnxWriter, node: NodeOf<'Slice'>, [x]: readonly string[]): readonly string[] {
  const { start, end, step } = node.attrs;
  const cut = node.inputs[0]!.shape.flatMap((n, i) => (start[i] !== 0 || end[i] !== n || step[i] !== 1 ? [i] : []));
  if (cut.length === 0) return [x!];
  const of = (list: readonly number[]): readonly number[] => cut.map((axis) => list[axis]!);
  return [w.slice(x!, cut, of(start), of(end), of(step))];
}

export function lowerSliceGrad(w: OnnxWriter, node: NodeOf<'SliceGrad'>, [g]: readonly string[]): readonly string[] {
  return [putBack(w, g!, node.inputs[0]!.shape, node.attrs)];
}

/** Where elements go in an array of `shape`: from `start` on, every `step`th place of each axis. */
export interface Places {
  readonly start: readonly number[];
  readonly step: readonly number[];
  readonly shape: Shape;
}

/** x at its places, zeros elsewhere; what would come to stand outside is left out. */
export function putBack(w: OnnxWriter, x: string, xShape: Shape, { start, step, shape }: Places): string {
  // Zeros go between the elements, step − 1 after each, and then around them.
  const spread = spreadOut(w, x, xShape, step);
  // The last element's zeros may reach beyond the array: a negative margin takes them away.
  const after = shape.map((n, i) => n - start[i]! - xShape[i]! * step[i]!);
  if ([...start, ...after].every((n) => n === 0)) return spread;
  return w.node('Pad', [spread, w.ints([...start, ...after])]);
}

/** step − 1 zeros after each element: an axis of length 1 after each axis, padded and joined with it. */
function spreadOut(w: OnnxWriter, x: string, shape: Shape, step: readonly number[]): string {
  if (step.every((s) => s === 1)) return x;
  const apart = w.reshape(
    x,
    shape.flatMap((n) => [n, 1]),
  );
  const padded = w.node('Pad', [apart, w.ints([...shape.flatMap(() => [0, 0]), ...step.flatMap((s) => [0, s - 1])])]);
  return w.reshape(
    padded,
    shape.map((n, i) => n * step[i]!),
  );
}
