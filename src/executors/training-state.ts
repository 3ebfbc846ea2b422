/**
 * What a trainer carries from round to round: what its optimiser keeps, and the step count. Weights and buffers are not
 * among it, since every round brings new ones.
 *
 * @module
 */
import { InternalError } from '../errors';
import type { ModelTraining } from '../nn/parameter-groups';
import { buffersOf, newTrainingState, slotShapes, type TrainingState } from '../nn/training-state';
import { type NamedTensors, type Tensor, tensor } from '../tensor/tensor';

/**
 * The received model with the site's own optimiser state: the optimiser lives for the whole run.
 *
 * @param previous the state after the round before, in memory.
 * @param restored the tensors of {@link slotsOf}, read from disk.
 */
export function startRound(
  training: ModelTraining,
  received: NamedTensors,
  previous: TrainingState | undefined,
  restored: NamedTensors | undefined,
): TrainingState {
  if (!previous && !restored) return newTrainingState(training, received);
  const { model } = training;
  const parameters = new Map(model.parameters.map(({ name }) => [name, take(received, name)]));
  const buffers = buffersOf(model, received);
  if (previous) return { parameters, buffers, slots: previous.slots, step: previous.step };
  const slots = new Map<string, Map<string, Tensor>>();
  for (const [slot, name] of slotShapes(training)) {
    slots.set(slot, (slots.get(slot) ?? new Map<string, Tensor>()).set(name, take(restored!, `${slot}.${name}`)));
  }
  return { parameters, buffers, slots, step: Number(take(restored!, 'step').data[0]) };
}

/** The step count and what the optimiser keeps, as tensors: `step`, and `<slot>.<parameter>` of each. */
export function slotsOf(state: TrainingState): NamedTensors {
  const tensors = new Map<string, Tensor>([['step', tensor('float64', [1], Float64Array.of(state.step))]]);
  for (const [slot, values] of state.slots) for (const [name, value] of values) tensors.set(`${slot}.${name}`, value);
  return tensors;
}

function take(tensors: NamedTensors, name: string): Tensor {
  const found = tensors.get(name);
  if (!found) throw new InternalError(`The site's saved state has no tensor '${name}'.`);
  return found;
}
