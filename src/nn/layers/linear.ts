/**
 * Dense layers.
 *
 * @module
 */
import type { Builder } from '../../graph/builder';
import { matMul, swapLast } from '../../graph/functions/linear';
import type { Value } from '../../graph/graph';

/** x `[..., I]` times the transposed weight `[O, I]`, plus the bias `[O]` if there is one: `[..., O]`. */
export function linear(b: Builder, x: Value, weight: Value, bias?: Value): Value {
  // One sample of one axis is a row.
  const rows = x.shape.length === 1 ? b.reshape(x, [1, ...x.shape]) : x;
  const product = b.reshape(matMul(b, rows, swapLast(b, weight)), [...x.shape.slice(0, -1), weight.shape[0]!]);
  return bias === undefined ? product : b.add(product, bias);
}
