import type { None } from './attributes';

/**
 * One number of the result from one number of each input, with NumPy's broadcasting. Derivatives at kinks are PyTorch's.
 */
export interface ElementwiseOps {
  /** (a, b). */
  Add: None;
  Sub: None;
  Mul: None;
  Div: None;
  /** aᵇ. NaN where a < 0 and b is not whole. d/db is 0 where a = 0 ≤ b, and NaN where a < 0. */
  Pow: None;
  /** The larger or smaller of two; equal ones share the gradient in halves. */
  Maximum: None;
  Minimum: None;

  /** (a, b) → 1 where it holds, else 0. Their derivative is zero. */
  Greater: None;
  GreaterOrEqual: None;
  Equal: None;
  /** (c, a, b) → a where c ≠ 0, else b. */
  Where: None;

  /** (x). */
  Neg: None;
  Abs: None;
  /** −1, 0 or 1. Its derivative is zero. */
  Sign: None;
  Exp: None;
  Log: None;
  Sqrt: None;
  Tanh: None;
  Sigmoid: None;
  /** ln(1 + eˣ). PyTorch's is x above 20, which is at most 2.1e-9 less. */
  Softplus: None;
  Relu: None;
  /** (g, y) of one shape → g where y > 0, else 0. */
  ReluGrad: None;
  /** x where x > 0, else alpha·x. */
  LeakyRelu: { readonly alpha: number };
  /** (g, x) of one shape → g where x > 0, else alpha·g. */
  LeakyReluGrad: { readonly alpha: number };
  /** (x, slope) → x where x > 0, else slope·x; the slope broadcasts to x: `[1, C, 1, ...]` for one per channel. */
  PRelu: None;
  /** x, but no less than min and no more than max, which may be infinite. The gradient passes on the bounds too. */
  Clip: { readonly min: number; readonly max: number };
}
