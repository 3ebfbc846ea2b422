import type { ElementwiseOps } from '../ops/elementwise';
import { broadcastShapes } from '../shape-rules/rule';
import { type Array64, broadcastStrides, type InterpreterRules, offsets } from './rule';

const unary =
  (f: (x: number) => number) =>
  ([x]: readonly Array64[]): readonly Float64Array[] => [x!.data.map(f)];

const binary =
  (f: (a: number, b: number) => number) =>
  ([a, b]: readonly Array64[]): readonly Float64Array[] => {
    const shape = broadcastShapes(a!.shape, b!.shape);
    const inA = offsets(shape, broadcastStrides(a!.shape, shape));
    const inB = offsets(shape, broadcastStrides(b!.shape, shape));
    return [Float64Array.from(inA, (at, i) => f(a!.data[at]!, b!.data[inB[i]!]!))];
  };

export const elementwiseInterpreters: InterpreterRules<keyof ElementwiseOps> = {
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  Div: binary((a, b) => a / b),
  Neg: unary((x) => -x),
  Sqrt: unary(Math.sqrt),
  Sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  Relu: unary((x) => Math.max(x, 0)),
  ReluGrad: binary((g, y) => (y > 0 ? g : 0)),
};
