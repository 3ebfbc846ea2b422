/** Many numbers to one. The axes that go stay as axes of length 1. */
export interface ReductionOps {
  /** (x) → the sum over `axes`. */
  ReduceSum: { readonly axes: readonly number[] };
  /** (a, b) of one shape → Σ a·b over `axes`. */
  SumProduct: { readonly axes: readonly number[] };
}
