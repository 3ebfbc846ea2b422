/**
 * Updates of which some numbers are the site's own (FedSelect): beside each parameter's change, under a name of its own, 1 where
 * the number is shared and 0 where it is not. So whatever handles tensors handles them too.
 *
 * @module
 */
import type { NamedTensors, Tensor } from '../tensor/tensor';

const prefix = 'shared/';

/** The changes with what is shared beside them: `shared/<parameter>`. */
export function joinShares(changes: NamedTensors, shares: NamedTensors): NamedTensors {
  return new Map([...changes, ...[...shares].map(([name, tensor]) => [prefix + name, tensor] as const)]);
}

/** What is shared of a parameter; `undefined` where all of it always is, as of a running statistic. */
export function shareOf(tensors: NamedTensors, parameter: string): Tensor | undefined {
  return tensors.get(prefix + parameter);
}
