import { type Shape, sameShape } from '../../tensor/tensor';
import type { Op } from '../ops';
import type { ElementwiseOps } from '../ops/elementwise';
import { broadcastShapes, ensure, type ShapeRules, sameAsInput } from './rule';

const broadcast =
  (op: Op) =>
  (shapes: readonly Shape[]): readonly Shape[] => [broadcastShapes(shapes[0]!, shapes[1]!, op)];

const oneShape =
  (op: Op) =>
  (shapes: readonly Shape[]): readonly Shape[] => {
    ensure(sameShape(shapes[0]!, shapes[1]!), op, 'both inputs must have one shape', shapes);
    return [shapes[0]!];
  };

export const elementwiseShapes: ShapeRules<keyof ElementwiseOps> = {
  Add: broadcast('Add'),
  Sub: broadcast('Sub'),
  Mul: broadcast('Mul'),
  Div: broadcast('Div'),
  Pow: broadcast('Pow'),
  Maximum: broadcast('Maximum'),
  Minimum: broadcast('Minimum'),
  Greater: broadcast('Greater'),
  GreaterOrEqual: broadcast('GreaterOrEqual'),
  Equal: broadcast('Equal'),
  Where: ([c, x, y]) => [broadcastShapes(c!, broadcastShapes(x!, y!, 'Where'), 'Where')],
  Neg: sameAsInput,
  Abs: sameAsInput,
  Sign: sameAsInput,
  Exp: sameAsInput,
  Log: sameAsInput,
  Sqrt: sameAsInput,
  Tanh: sameAsInput,
  Sigmoid: sameAsInput,
  Softplus: sameAsInput,
  Relu: sameAsInput,
  ReluGrad: oneShape('ReluGrad'),
  LeakyRelu: sameAsInput,
  LeakyReluGrad: oneShape('LeakyReluGrad'),
  PRelu: ([x, slope]) => {
    const fits = sameShape(broadcastShapes(x!, slope!, 'PRelu'), x!);
    ensure(fits, 'PRelu', 'the slope must broadcast to the input', [x!, slope!]);
    return [x!];
  },
  Clip: ([x], { min, max }) => {
    ensure(min <= max, 'Clip', `the lower bound ${min} must not be above the upper bound ${max}`, [x!]);
    return [x!];
  },
};
