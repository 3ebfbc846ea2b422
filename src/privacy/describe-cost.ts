import type { PrivacyCost } from './cost';

/** ε up to which a pure guarantee is usually called meaningful, and from which it no longer deserves the name. */
const WEAK = 10;
const MEANINGLESS = 100;

/**
 * One honest line about a cost, or about a total in the shape of one, for logs and reports. The words "differential
 * privacy" are kept for ε ≤ 100: at ε = 100 an outcome may be e^100 times likelier for one update than for another.
 */
export function describeCost(
  cost: Pick<PrivacyCost, 'differentiallyPrivate' | 'epsilon' | 'delta'> & { readonly mechanism: string },
): string {
  const { mechanism, differentiallyPrivate, epsilon, delta } = cost;
  if (!differentiallyPrivate) return `${mechanism}: NOT differentially private (ε = ∞)`;
  const amount = `ε = ${Number(epsilon.toPrecision(10))}${delta > 0 ? `, δ = ${delta}` : ''}`;
  if (epsilon > MEANINGLESS) return `${mechanism}: ${amount}, which is no meaningful privacy guarantee`;
  if (epsilon > WEAK) return `${mechanism}: ${amount}, a weak differential privacy guarantee`;
  return `${mechanism}: ${amount}, differentially private`;
}
