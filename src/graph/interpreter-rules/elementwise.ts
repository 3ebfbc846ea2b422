import type { ElementwiseOps } from '../ops/elementwise';
import { broadcastShapes } from '../shape-rules/rule';
import { type Array64, broadcastStrides, gather, type InterpreterRules } from './rule';

const unary =
  (f: (x: number) => number) =>
  ([x]: readonly Array64[]): readonly Float64Array[] => [x!.data.map(f)];

const binary =
  (f: (a: number, b: number) => number) =>
  ([a, b]: readonly Array64[]): readonly Float64Array[] => {
    const shape = broadcastShapes(a!.shape, b!.shape);
    const inB = gather(b!, shape, broadcastStrides(b!.shape, shape));
    return [gather(a!, shape, broadcastStrides(a!.shape, shape)).map((value, i) => f(value, inB[i]!))];
  };

export const elementwiseInterpreters: InterpreterRules<keyof ElementwiseOps> = {
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  Div: binary((a, b) => a / b),
  Pow: binary((a, b) => a ** b),
  Maximum: binary(Math.max),
  Minimum: binary(Math.min),
  Greater: binary((a, b) => (a > b ? 1 : 0)),
  GreaterOrEqual: binary((a, b) => (a >= b ? 1 : 0)),
  Equal: binary((a, b) => (a === b ? 1 : 0)),
  Where: ([c, a, b], _, [shape]) => {
    const [inC, inA, inB] = [c!, a!, b!].map((x) => gather(x, shape!, broadcastStrides(x.shape, shape!)));
    return [inC!.map((chosen, i) => (chosen !== 0 ? inA![i]! : inB![i]!))];
  },
  Neg: unary((x) => -x),
  Abs: unary(Math.abs),
  Sign: unary(Math.sign),
  Exp: unary(Math.exp),
  Log: unary(Math.log),
  Sqrt: unary(Math.sqrt),
  Tanh: unary(Math.tanh),
  Sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  Softplus: unary((x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  Relu: unary((x) => Math.max(x, 0)),
  ReluGrad: binary((g, y) => (y > 0 ? g : 0)),
  LeakyRelu: ([x], { alpha }) => [x!.data.map((v) => (v > 0 ? v : alpha * v))],
  LeakyReluGrad: ([g, x], { alpha }) => [g!.data.map((v, i) => (x!.data[i]! > 0 ? v : alpha * v))],
  PRelu: binary((x, slope) => (x > 0 ? x : slope * x)),
  Clip: ([x], { min, max }) => [x!.data.map((v) => Math.min(Math.max(v, min), max))],
};
