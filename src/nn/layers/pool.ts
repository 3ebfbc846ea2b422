/**
 * Pooling layers.
 *
 * @module
 */
import type { Builder } from '../../graph/builder';
import type { Value } from '../../graph/graph';
import type { PoolAttrs } from '../../graph/ops/pool';
import { type PerAxis, perAxis } from '../../util/per-axis';

export interface PoolOptions {
  readonly kernel: PerAxis;
  /** Default: the kernel. */
  readonly stride?: PerAxis;
  /** On both sides, at most half the kernel. Default 0. */
  readonly padding?: PerAxis;
}

function poolAttrs(x: Value, { kernel, stride = kernel, padding = 0 }: PoolOptions): PoolAttrs {
  const each = (value: PerAxis): readonly number[] => perAxis(x.shape.length - 2, value);
  return { kernel: each(kernel), stride: each(stride), padding: each(padding) };
}

/** The largest number of each window of x `[N, C, ...]`: ⌊(n + 2·padding − kernel)/stride⌋ + 1 along each axis. */
export function maxPool(b: Builder, x: Value, options: PoolOptions): Value {
  return b.emit('MaxPool', [x], poolAttrs(x, options));
}

/** The mean of each window; padded positions count as zeros unless `countIncludePad` is false (default true). */
export function averagePool(
  b: Builder,
  x: Value,
  options: PoolOptions & { readonly countIncludePad?: boolean },
): Value {
  return b.emit('AveragePool', [x], { ...poolAttrs(x, options), countIncludePad: options.countIncludePad ?? true });
}

/** The mean of each channel, `[N, C, 1, ...]`. */
export function globalAveragePool(b: Builder, x: Value): Value {
  return b.emit('GlobalAveragePool', [x], {});
}
