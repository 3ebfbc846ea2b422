/** A cross-correlation over zero-padded input, as every deep-learning library means "convolution". */
export interface ConvAttrs {
  /** One step per spatial axis, at least 1. */
  readonly stride: readonly number[];
  /** Zeros put on both sides of each spatial axis. */
  readonly padding: readonly number[];
}

/** Convolutions of activations `[N, C, ...spatial]`. */
export interface ConvOps {
  /** (x [N,I,...], w [O,I,...kernel]) → y [N,O,...], ⌊(n + 2p − k)/s⌋ + 1 along each axis. */
  Conv: ConvAttrs;
  /** (dy [N,O,...], w) → dx [N,I,...spatial]: the adjoint of Conv in x. */
  ConvInputGrad: ConvAttrs & { readonly spatial: readonly number[] };
  /** (x, dy) → dw [O,I,...kernel]: the adjoint of Conv in w. */
  ConvWeightGrad: ConvAttrs & { readonly kernel: readonly number[] };
}
