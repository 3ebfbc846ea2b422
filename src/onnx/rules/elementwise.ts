import type { ElementwiseOps } from '../../graph/ops/elementwise';
import { direct, type OnnxRules } from './rule';

export const elementwiseRules: OnnxRules<keyof ElementwiseOps> = {
  Add: direct('Add'),
  Sub: direct('Sub'),
  Mul: direct('Mul'),
  Div: direct('Div'),
  Neg: direct('Neg'),
  Sqrt: direct('Sqrt'),
  Sigmoid: direct('Sigmoid'),
  Relu: direct('Relu'),
  // y is the output of a Relu, never negative: its sign is the mask.
  ReluGrad: (w, _, [g, y]) => [w.node('Where', [w.node('Greater', [y!, w.scalar(0)]), g!, w.scalar(0)])],
};
