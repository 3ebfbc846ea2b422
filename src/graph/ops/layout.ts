import type { Shape } from '../../tensor/tensor';

/** Numbers put in place, without arithmetic. */
export interface LayoutOps {
  /** () → the given numbers. For scalars and small tables: large data are inputs. */
  Constant: { readonly shape: Shape; readonly values: readonly number[] };
  /** (x) → the same numbers in C order under another shape. */
  Reshape: { readonly shape: Shape };
  /** (x) → NumPy's `broadcast_to`. */
  Expand: { readonly shape: Shape };
  /** (x) → axis i of the result is axis `order[i]` of x. */
  Transpose: { readonly order: readonly number[] };
}
