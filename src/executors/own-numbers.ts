/**
 * Training that moves some numbers of a parameter at a time (FedSelect): a pass over the samples for those that are the site's
 * own, then one for those that are shared. A step computes all of them; what the pass does not move gets back what it had, the
 * optimiser's account of it included.
 *
 * @module
 */
import type { TrainingState } from '../nn/training-state';
import { floatsOf, type NamedTensors, type Tensor } from '../tensor/tensor';

/** Which numbers a pass moves: in the masks, the site's own are 1 and shared ones 0. */
export type Pass = 'own' | 'shared';

/** The passes of an epoch, in order: one where nothing is the site's own. @param own masks by parameter; absent: all is shared */
export function passesOf(own: NamedTensors | undefined): readonly Pass[] {
  const some = own !== undefined && [...own.values()].some(({ data }) => (data as Uint8Array).includes(1));
  return some ? ['own', 'shared'] : ['shared'];
}

/** The tensors as they are before a step, which replaces them. */
export function beforeStep({ parameters, slots }: TrainingState): Pick<TrainingState, 'parameters' | 'slots'> {
  return {
    parameters: new Map(parameters),
    slots: new Map([...slots].map(([slot, values]) => [slot, new Map(values)])),
  };
}

/** Takes back what a step did to the numbers that the pass does not move. What the step made is written into. */
export function takeBack(
  state: TrainingState,
  before: Pick<TrainingState, 'parameters' | 'slots'>,
  own: NamedTensors,
  pass: Pass,
): void {
  const kept = pass === 'own' ? 0 : 1;
  for (const [name, { data }] of own) {
    const mask = data as Uint8Array;
    restore(state.parameters.get(name), before.parameters.get(name), mask, kept);
    for (const [slot, values] of state.slots) restore(values.get(name), before.slots.get(slot)?.get(name), mask, kept);
  }
}

function restore(after: Tensor | undefined, before: Tensor | undefined, mask: Uint8Array, kept: number): void {
  if (!after || !before || after === before) return; // A frozen parameter.
  const [to, from] = [floatsOf(after), floatsOf(before)];
  for (let i = 0; i < mask.length; i++) if (mask[i] === kept) to[i] = from[i]!;
}
