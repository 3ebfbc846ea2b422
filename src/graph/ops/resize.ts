import type { None } from './attributes';

/** Activations `[N, C, ...spatial]` on another grid. */
export interface ResizeOps {
  /** (x) → every spatial axis doubled, linear, half-pixel centres, edges clamped (PyTorch: `align_corners=False`). */
  UpsampleLinear: None;
  /** (dy) → the adjoint of UpsampleLinear: every spatial axis, which must be even, halved. */
  UpsampleLinearGrad: None;
}
