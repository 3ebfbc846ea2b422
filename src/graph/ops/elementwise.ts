import type { None } from './attributes';

/** One number of the result from one number of each input, with NumPy's broadcasting. */
export interface ElementwiseOps {
  /** (a, b). */
  Add: None;
  Sub: None;
  Mul: None;
  Div: None;

  /** (x). */
  Neg: None;
  Sqrt: None;
  Sigmoid: None;
  Relu: None;
  /** (g, y) of one shape → g where y > 0, else 0. */
  ReluGrad: None;
}
