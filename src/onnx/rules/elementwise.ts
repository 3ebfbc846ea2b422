import type { ElementwiseOps } from '../../graph/ops/elementwise';
import { direct, type OnnxRules } from './rule';

/** `float` among ONNX's element types. */
const FLOAT = 1;

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
  // As a product: the runtime's Where is three times slower and takes two hidden copies.
  ReluGrad: (w, _, [g, y]) => [
    w.node('Mul', [g!, w.node('Cast', [w.node('Greater', [y!, w.scalar(0)])], { to: FLOAT })]),
  ],
};
