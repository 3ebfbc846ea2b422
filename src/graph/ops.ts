/**
 * The operators of the graph: a closed set, in families. Each key's type is that of the operator's attributes; every
 * table of rules (`shape-rules`, `vjp-rules`, `interpreter-rules`, `onnx/rules`) is total over it, so a missing row does
 * not compile.
 *
 * Activations are `[N, C, ...spatial]` with one to three spatial axes. All values are floating point.
 *
 * @module
 */
import type { ConvOps } from './ops/conv';
import type { ElementwiseOps } from './ops/elementwise';
import type { LayoutOps } from './ops/layout';
import type { LinearOps } from './ops/linear';
import type { NormOps } from './ops/norm';
import type { PoolOps } from './ops/pool';
import type { ReductionOps } from './ops/reduction';
import type { ResizeOps } from './ops/resize';
import type { ScheduleOps } from './ops/schedule';

export type { None } from './ops/attributes';
export type { ConvAttrs } from './ops/conv';

export interface Ops
  extends ElementwiseOps,
    ReductionOps,
    LayoutOps,
    LinearOps,
    ConvOps,
    NormOps,
    PoolOps,
    ResizeOps,
    ScheduleOps {}

export type Op = keyof Ops;
