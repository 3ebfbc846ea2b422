/**
 * Transposed convolution: the adjoint of a convolution in its input, as a layer that enlarges.
 *
 * @module
 */
import { ShapeError } from '../../errors';
import type { Builder } from '../../graph/builder';
import type { Value } from '../../graph/graph';
import { convAttrs } from '../../graph/ops/conv';

export interface ConvTransposeOptions {
  /** One per spatial axis. Default 1. */
  readonly stride?: readonly number[];
  /** Rows cut off on both sides of each axis. Default 0. */
  readonly padding?: readonly number[];
  /** Rows added at the end of each axis, fewer than its stride. Default 0. */
  readonly outputPadding?: readonly number[];
  /** Default 1. */
  readonly dilation?: readonly number[];
  /** Default 1. */
  readonly groups?: number;
}

/**
 * x `[N, I, ...n]` by weight `[I, O/groups, ...k]`, PyTorch's layout:
 * `[N, O, ...]` with (n − 1)·stride − 2·padding + dilation·(k − 1) + 1 + outputPadding positions along each axis.
 *
 * @throws ShapeError when shapes do not fit, or an output padding is not below its stride
 */
export function convTranspose(b: Builder, x: Value, weight: Value, options: ConvTransposeOptions = {}): Value {
  const kernel = weight.shape.slice(2);
  const all = (value: number): readonly number[] => kernel.map(() => value);
  const { stride = all(1), padding = all(0), outputPadding = all(0), dilation = all(1), groups = 1 } = options;
  if (outputPadding.length !== kernel.length || outputPadding.some((p, i) => !(p >= 0 && p < stride[i]!))) {
    throw new ShapeError(
      `convTranspose: the output padding [${outputPadding}] must be below the stride [${stride}] along each axis.`,
    );
  }
  const spatial = kernel.map(
    (k, i) => (x.shape[i + 2]! - 1) * stride[i]! - 2 * padding[i]! + dilation[i]! * (k - 1) + 1 + outputPadding[i]!,
  );
  const attrs = convAttrs({ stride, padding, dilation, groups });
  return b.emit('ConvInputGrad', [x, weight], { ...attrs, spatial });
}
