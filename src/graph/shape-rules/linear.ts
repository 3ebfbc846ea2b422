import type { LinearOps } from '../ops/linear';
import { broadcastShapes, ensure, type ShapeRules } from './rule';

export const linearShapes: ShapeRules<keyof LinearOps> = {
  MatMul: ([a, b]) => {
    const shapes = [a!, b!];
    ensure(a!.length >= 2 && b!.length >= 2, 'MatMul', 'both inputs must have at least two axes', shapes);
    const fits = a!.at(-1) === b!.at(-2);
    ensure(
      fits,
      'MatMul',
      'the last axis of the first input must be as long as the last but one of the second',
      shapes,
    );
    return [[...broadcastShapes(a!.slice(0, -2), b!.slice(0, -2), 'MatMul'), a!.at(-2)!, b!.at(-1)!]];
  },
};
