import { type Shape, sameShape } from '../../tensor/tensor';
import type { Op } from '../ops';
import type { ElementwiseOps } from '../ops/elementwise';
import { broadcastShapes, ensure, type ShapeRules, sameAsInput } from './rule';

const broadcast =
  (op: Op) =>
  (shapes: readonly Shape[]): readonly Shape[] => [broadcastShapes(shapes[0]!, shapes[1]!, op)];

export const elementwiseShapes: ShapeRules<keyof ElementwiseOps> = {
  Add: broadcast('Add'),
  Sub: broadcast('Sub'),
  Mul: broadcast('Mul'),
  Div: broadcast('Div'),
  Neg: sameAsInput,
  Sqrt: sameAsInput,
  Sigmoid: sameAsInput,
  Relu: sameAsInput,
  ReluGrad: (shapes) => {
    ensure(sameShape(shapes[0]!, shapes[1]!), 'ReluGrad', 'both inputs must have one shape', shapes);
    return [shapes[0]!];
  },
};
