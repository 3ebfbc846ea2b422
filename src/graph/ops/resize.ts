import type { None } from './attributes';

/** Interpolation to another grid: to the given spatial lengths, or to ⌊n·scale⌋ of them. */
export type ResizeAttrs = {
  /** `nearest`: source ⌊i·n/size⌋. `linear`: between the two neighbours along each axis, edges clamped. */
  readonly mode: 'nearest' | 'linear';
  /** Of `linear`: whether the corner voxels' centres meet (PyTorch: `align_corners`), not the corners (half-pixel). */
  readonly alignCorners: boolean;
} & ({ readonly size: readonly number[] } | { readonly scale: readonly number[] });

/** Activations `[N, C, ...spatial]` on another grid. */
export interface ResizeOps {
  /** (x) → every spatial axis doubled, linear, half-pixel centres, edges clamped (PyTorch: `align_corners=False`). */
  UpsampleLinear: None;
  /** (dy) → the adjoint of UpsampleLinear: every spatial axis, which must be even, halved. */
  UpsampleLinearGrad: None;
  /** (x) → interpolated; as PyTorch's `interpolate` places the samples. */
  Resize: ResizeAttrs;
  /** (dy) → dx [N,C,...spatial]: the adjoint of Resize. */
  ResizeGrad: ResizeAttrs & { readonly spatial: readonly number[] };
}
