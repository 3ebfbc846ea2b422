/** Operators along axes. Axes are counted from 0; none is counted from the end. */
export interface ReductionOps {
  /** (x) → the sum over `axes`, which stay as axes of length 1. */
  ReduceSum: { readonly axes: readonly number[] };
  /**
   * (x) → the maximum over `axes`, which stay as axes of length 1; equal ones share the gradient (PyTorch: `amax`). Unlike
   * PyTorch's, it need not pass a NaN on: the runtime takes the largest of the other numbers. Whoever uses it for a scale
   * must also use x itself, as clipping of gradients does.
   */
  ReduceMax: { readonly axes: readonly number[] };
  /** (a, b) of one shape → Σ a·b over `axes`, which stay as axes of length 1. */
  SumProduct: { readonly axes: readonly number[] };
  /** (x) → eˣ / Σ eˣ along the axis, without overflow. */
  Softmax: { readonly axis: number };
  /** (x) → x − ln Σ eˣ along the axis, without overflow. */
  LogSoftmax: { readonly axis: number };
}
