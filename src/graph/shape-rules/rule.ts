/**
 * What a shape rule is, and the checks that rules share.
 *
 * @module
 */
import { ShapeError } from '../../errors';
import type { Shape } from '../../tensor/tensor';
import type { Op, Ops } from '../ops';

/** The shapes of an operator's outputs. @throws ShapeError when the inputs or attributes break the rule */
export type ShapeRule<K extends Op> = (shapes: readonly Shape[], attrs: Ops[K]) => readonly Shape[];

/** A rule for every operator of a family. */
export type ShapeRules<K extends Op> = { readonly [P in K]: ShapeRule<P> };

/** @throws ShapeError naming the operator, the rule and all shapes, unless the condition holds */
export function ensure(condition: boolean, op: string, rule: string, shapes: readonly Shape[]): void {
  if (condition) return;
  throw new ShapeError(`${op}: ${rule}, but the inputs have shapes ${shapes.map((s) => `[${s}]`).join(', ')}.`);
}

export function requireAxes(op: Op, shape: Shape, axes: readonly number[]): void {
  const known = axes.every((axis) => Number.isInteger(axis) && axis >= 0 && axis < shape.length);
  ensure(known && new Set(axes).size === axes.length, op, `axes [${axes}] must be distinct axes of the input`, [shape]);
}

/** NumPy's broadcasting of two shapes. @throws ShapeError when they do not go together */
export function broadcastShapes(a: Shape, b: Shape, op = 'broadcast'): Shape {
  const rank = Math.max(a.length, b.length);
  const result: number[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    ensure(x === y || x === 1 || y === 1, op, 'lengths must be equal or 1 along each axis', [a, b]);
    result.push(x === 1 ? y : x);
  }
  return result;
}

/** The rule of operators that keep the shape of their input. */
export const sameAsInput = (shapes: readonly Shape[]): readonly Shape[] => [shapes[0]!];
