/**
 * The operators of the graph: a closed set. Each key's type is that of the operator's attributes; every table of rules
 * (`shape-rules`, `vjp-rules`, `interpreter-rules`, `onnx/rules`) is total over it, so a missing row does not compile.
 *
 * Activations are `[N, C, ...spatial]` with one to three spatial axes. All values are floating point.
 *
 * @module
 */
import type { Shape } from '../tensor/tensor';

/** No attributes. */
export type None = Readonly<Record<never, never>>;

/** A cross-correlation over zero-padded input, as every deep-learning library means "convolution". */
export interface ConvAttrs {
  /** One step per spatial axis, at least 1. */
  readonly stride: readonly number[];
  /** Zeros put on both sides of each spatial axis. */
  readonly padding: readonly number[];
}

export interface Ops {
  /** () → the given numbers. For scalars and small tables: large data are inputs. */
  Constant: { readonly shape: Shape; readonly values: readonly number[] };

  /** (a, b) → element-wise, with NumPy's broadcasting. */
  Add: None;
  Sub: None;
  Mul: None;
  Div: None;

  /** (x) → element-wise. */
  Neg: None;
  Sqrt: None;
  Sigmoid: None;
  Relu: None;
  /** (g, y) → g where y > 0, else 0. */
  ReluGrad: None;

  /** (x) → the sum over `axes`, which stay as axes of length 1. */
  ReduceSum: { readonly axes: readonly number[] };
  /** (a, b) of one shape → Σ a·b over `axes`, which stay as axes of length 1. */
  SumProduct: { readonly axes: readonly number[] };

  /** (x) → the same numbers in C order under another shape. */
  Reshape: { readonly shape: Shape };
  /** (x) → NumPy's `broadcast_to`. */
  Expand: { readonly shape: Shape };
  /** (x) → axis i of the result is axis `order[i]` of x. */
  Transpose: { readonly order: readonly number[] };

  /** (x [N,I,...], w [O,I,...kernel]) → y [N,O,...], ⌊(n + 2p − k)/s⌋ + 1 along each axis. */
  Conv: ConvAttrs;
  /** (dy [N,O,...], w) → dx [N,I,...spatial]: the adjoint of Conv in x. */
  ConvInputGrad: ConvAttrs & { readonly spatial: readonly number[] };
  /** (x, dy) → dw [O,I,...kernel]: the adjoint of Conv in w. */
  ConvWeightGrad: ConvAttrs & { readonly kernel: readonly number[] };

  /**
   * Group normalisation (Wu & He 2018, arXiv:1803.08494). (x [N,C,...], γ [C], β [C]) → y, and the mean and
   * 1/√(biased variance + ε) of each sample's groups, both [N,groups], which only GroupNormGrad may use.
   */
  GroupNorm: { readonly groups: number; readonly epsilon: number };
  /** (dy, x, γ, mean, rstd) → dx, dγ, dβ. */
  GroupNormGrad: { readonly groups: number };

  /** (x) → every spatial axis doubled, linear, half-pixel centres, edges clamped (PyTorch: `align_corners=False`). */
  UpsampleLinear: None;
  /** (dy) → the adjoint of UpsampleLinear: every spatial axis, which must be even, halved. */
  UpsampleLinearGrad: None;
}

export type Op = keyof Ops;
