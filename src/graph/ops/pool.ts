import type { None } from './attributes';

/** Windows of a pooling, one number of each per spatial axis. */
export interface PoolAttrs {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  /** On both sides of each axis, at most half the kernel. */
  readonly padding: readonly number[];
}

export interface AveragePoolAttrs extends PoolAttrs {
  /** Whether padded positions count in the divisor, as zeros. */
  readonly countIncludePad: boolean;
}

/** Pooling of activations `[N, C, ...spatial]`: over windows, ⌊(n + 2p − k)/s⌋ + 1 along each axis, or over everything. */
export interface PoolOps {
  /**
   * (x) → the largest number of each window. Unlike PyTorch's, it need not pass a NaN on: the runtime takes the largest of
   * the other numbers, [NaN, 1] → 1, and a check would cost another pass. In training the NaN still shows in the gradients
   * of a normalisation before the pooling, and `firstNonFinite` names its origin; in inference it does not show.
   */
  MaxPool: PoolAttrs;
  /** (dy, x) → dx: each window's gradient goes to the first of its largest numbers, in C order. */
  MaxPoolGrad: PoolAttrs;
  /** (x) → the mean of each window. */
  AveragePool: AveragePoolAttrs;
  /** (dy) → dx [N,C,...spatial]: the adjoint of AveragePool. */
  AveragePoolGrad: AveragePoolAttrs & { readonly spatial: readonly number[] };
  /** (x) → the mean of each channel, `[N, C, 1, ...]`. */
  GlobalAveragePool: None;
}
