import type { Shape } from '../../tensor/tensor';

/** `[start, end)` of each axis, every `step`th: 0 ≤ start < end ≤ length and step ≥ 1, one number per axis of the input. */
export interface SliceAttrs {
  readonly start: readonly number[];
  readonly end: readonly number[];
  readonly step: readonly number[];
}

/** Elements put before and after each axis: zeros, the input mirrored at its border element, or that element again. */
export interface PadAttrs {
  readonly mode: 'zero' | 'reflect' | 'edge';
  readonly begin: readonly number[];
  readonly end: readonly number[];
}

/**
 * `block^d` channels, one after the other, make the blocks of one: in C order of the places in a block of that length along
 * each of the d spatial axes.
 */
export interface PixelShuffleAttrs {
  readonly block: number;
}

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

  /** (x, ...) → all inputs, one after the other along the axis. */
  Concat: { readonly axis: number };
  /** (x) → part of it. */
  Slice: SliceAttrs;
  /** (g) → an array of `shape`, with g where Slice would read and zeros elsewhere: the adjoint of Slice. */
  SliceGrad: SliceAttrs & { readonly shape: Shape };
  /** (x) → x with a margin. */
  Pad: PadAttrs;
  /** (g) → the adjoint of Pad: every number goes back to where it came from. */
  PadGrad: PadAttrs;
  /**
   * (x, indices) → x[indices] along the axis: the axis is replaced by the axes of `indices`. Indices are whole numbers in
   * [0, length); others are an error when the graph runs.
   */
  Gather: { readonly axis: number };
  /** (g, indices) → the adjoint of Gather: an axis of `length` again, with the sum of what was read from each place. */
  GatherGrad: { readonly axis: number; readonly length: number };
  /** (x) `[N, C·block^d, ...n]` → `[N, C, ...n·block]`: channels become voxels. */
  PixelShuffle: PixelShuffleAttrs;
  /** (g) → the adjoint and inverse of PixelShuffle. */
  PixelShuffleGrad: PixelShuffleAttrs;
}
