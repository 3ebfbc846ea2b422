/**
 * Products of matrices.
 *
 * @module
 */
import type { Builder } from '../builder';
import type { Value } from '../graph';

/** (x [...,M,K], y [...,K,N]) → [...,M,N]; the axes before the last two broadcast. */
export const matMul = (b: Builder, x: Value, y: Value): Value => b.emit('MatMul', [x, y], {});

/** x with its last two axes exchanged. */
export function swapLast(b: Builder, x: Value): Value {
  const rank = x.shape.length;
  return b.transpose(
    x,
    x.shape.map((_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i)),
  );
}

export interface GemmOptions {
  /** Factor of the product; 1 when omitted. */
  readonly alpha?: number;
  /** Factor of the summand; 1 when omitted. */
  readonly beta?: number;
  /** Use xᵀ or yᵀ; false when omitted. */
  readonly transX?: boolean;
  readonly transY?: boolean;
}

/** alpha·x·y + beta·c of matrices (BLAS: `gemm`); c broadcasts to the product. */
export function gemm(b: Builder, x: Value, y: Value, c: Value, options: GemmOptions = {}): Value {
  const { alpha = 1, beta = 1, transX = false, transY = false } = options;
  const product = matMul(b, transX ? swapLast(b, x) : x, transY ? swapLast(b, y) : y);
  const scaled = (value: Value, factor: number): Value => (factor === 1 ? value : b.scale(value, factor));
  return b.add(scaled(product, alpha), scaled(c, beta));
}
