/**
 * The proximal term of FedProx (Li et al. 2020, arXiv:1812.06127).
 *
 * @module
 */
import type { Builder } from '../../graph/builder';
import type { Value } from '../../graph/graph';

/** (μ/2)·Σ‖w − reference‖² over all pairs, a scalar; μ is a scalar value. */
export function proximalTerm(b: Builder, mu: Value, pairs: readonly (readonly [w: Value, reference: Value])[]): Value {
  const squares = pairs.map(([w, reference]) => {
    const difference = b.sub(w, reference);
    return b.reshape(b.sumProduct(difference, difference), []);
  });
  return b.mul(
    b.scale(mu, 0.5),
    squares.reduce((sum, term) => b.add(sum, term)),
  );
}
