/**
 * The contrast term of FedMRI (Feng et al. 2022, arXiv:2112.05752), as its code computes it.
 *
 * @module
 */

import type { Builder } from '../../graph/builder';
import { abs } from '../../graph/functions';
import type { Value } from '../../graph/graph';

/** A parameter, what came for it from the server, and what the sites had for it after their last training. */
export interface ContrastTerms {
  readonly w: Value;
  readonly server: Value;
  readonly previous: readonly Value[];
}

/** β·Σ‖w − server‖₁ / (Σ‖w − previous‖₁ + 1e-14), sums over parameters and sites, a scalar; β is a scalar value. */
export function contrastTerm(b: Builder, beta: Value, parameters: readonly ContrastTerms[]): Value {
  const distance = (w: Value, other: Value) => b.reshape(b.reduceSum(abs(b, b.sub(w, other))), []);
  const total = (terms: readonly Value[]) => terms.reduce((sum, term) => b.add(sum, term));
  const near = total(parameters.map(({ w, server }) => distance(w, server)));
  const far = total(parameters.flatMap(({ w, previous }) => previous.map((one) => distance(w, one))));
  return b.div(b.mul(beta, near), b.add(far, b.scalar(1e-14)));
}
