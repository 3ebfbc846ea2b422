/**
 * Pooling and interpolation as modules.
 *
 * @module
 */
import { maxPool } from '../layers/pool';
import { resize } from '../layers/resize';
import { type Module, stateless } from './module';

/** The largest number of each window of two along every axis: lengths are halved, rounded down. */
export const halvingMaxPool: Module = stateless((b, x) => maxPool(b, x!, { kernel: 2 }));

/** Lengths doubled, linearly. @param alignCorners as PyTorch's `align_corners` */
export function doublingLinear(alignCorners: boolean): Module {
  return stateless((b, x) => resize(b, x!, { mode: 'linear', alignCorners, scale: 2 }));
}
