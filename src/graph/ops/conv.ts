/** A cross-correlation over zero-padded input, as every deep-learning library means "convolution". */
export interface ConvAttrs {
  /** One step per spatial axis, at least 1. */
  readonly stride: readonly number[];
  /** Zeros put on both sides of each spatial axis. */
  readonly padding: readonly number[];
  /** Distance of a kernel's taps along each spatial axis, at least 1. */
  readonly dilation: readonly number[];
  /** Channels fall into so many groups, each convolved by itself. It divides input and output channels. */
  readonly groups: number;
}

/** What a call of a convolution says: dilation 1 and one group unless it says otherwise. */
export type ConvOptions = Pick<ConvAttrs, 'stride' | 'padding'> & Partial<ConvAttrs>;

/** All attributes of a convolution. */
export function convAttrs({ stride, padding, dilation = stride.map(() => 1), groups = 1 }: ConvOptions): ConvAttrs {
  return { stride, padding, dilation, groups };
}

/** Convolutions of activations `[N, C, ...spatial]`. */
export interface ConvOps {
  /** (x [N,I,...], w [O,I/groups,...kernel]) → y [N,O,...], ⌊(n + 2p − d(k − 1) − 1)/s⌋ + 1 along each axis. */
  Conv: ConvAttrs;
  /** (dy [N,O,...], w) → dx [N,I,...spatial]: the adjoint of Conv in x. */
  ConvInputGrad: ConvAttrs & { readonly spatial: readonly number[] };
  /** (x, dy) → dw [O,I/groups,...kernel]: the adjoint of Conv in w. */
  ConvWeightGrad: ConvAttrs & { readonly kernel: readonly number[] };
}
