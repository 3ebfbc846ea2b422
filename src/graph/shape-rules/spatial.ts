/**
 * Checks of operators on activations `[N, C, ...spatial]`.
 *
 * @module
 */
import type { Shape } from '../../tensor/tensor';
import type { Op } from '../ops';
import { ensure } from './rule';

/** @throws ShapeError unless x is `[N, C, ...spatial]` with one to three spatial axes */
export function requireSpatial(op: Op, x: Shape, shapes: readonly Shape[] = [x]): void {
  ensure(x.length >= 3 && x.length <= 5, op, 'one to three spatial axes are expected', shapes);
}

/** @throws ShapeError unless an attribute gives each spatial axis of x a whole number of at least `least` */
export function requirePerAxis(
  op: Op,
  name: string,
  values: readonly number[],
  least: number,
  x: Shape,
  shapes: readonly Shape[] = [x],
): void {
  const rank = x.length - 2;
  const fits = values.length === rank && values.every((value) => Number.isInteger(value) && value >= least);
  const what = `${name} [${values}] must give a whole number of at least ${least} for each of ${rank} spatial axes`;
  ensure(fits, op, what, shapes);
}
