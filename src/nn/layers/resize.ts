/**
 * Interpolation to another grid.
 *
 * @module
 */
import type { Builder } from '../../graph/builder';
import type { Value } from '../../graph/graph';

export type ResizeOptions = {
  /** Default `nearest`. */
  readonly mode?: 'nearest' | 'linear';
  /** Of `linear`: the corner voxels' centres meet (PyTorch: `align_corners`). Default false, half-pixel centres. */
  readonly alignCorners?: boolean;
} & ({ readonly size: readonly number[] } | { readonly scale: number | readonly number[] });

/**
 * x `[N, C, ...n]` to the given lengths, or to ⌊n·scale⌋, as PyTorch's `interpolate` does. Networks for images of any
 * size say `scale`.
 *
 * @throws ShapeError when sizes do not fit, or corners are to be aligned without linear interpolation
 */
export function resize(b: Builder, x: Value, options: ResizeOptions): Value {
  const { mode = 'nearest', alignCorners = false } = options;
  if ('size' in options) return b.emit('Resize', [x], { mode, alignCorners, size: options.size });
  const { scale: given } = options;
  const scale = typeof given === 'number' ? x.shape.slice(2).map(() => given) : given;
  const doubled = mode === 'linear' && !alignCorners && scale.length > 0 && scale.every((s) => s === 2);
  if (doubled && scale.length === x.shape.length - 2) return b.emit('UpsampleLinear', [x], {});
  return b.emit('Resize', [x], { mode, alignCorners, scale });
}
