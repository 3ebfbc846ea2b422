/**
 * What a trainer carries from round to round: the optimiser's moments and step count. The weights are not among it, since
 * every round brings new ones.
 *
 * @module
 */
import { InternalError } from '../errors';
import type { Model } from '../nn/model';
import { newTrainingState, type TrainingState } from '../nn/trainer';
import { type NamedTensors, type Tensor, tensor } from '../tensor/tensor';

/**
 * The received weights with the site's own moments: the optimiser lives for the whole run.
 *
 * @param previous the state after the round before, in memory.
 * @param restored the moments of {@link momentsOf}, read from disk.
 */
export function startRound(
  model: Model,
  received: NamedTensors,
  previous: TrainingState | undefined,
  restored: NamedTensors | undefined,
): TrainingState {
  const parameters = new Map(received);
  if (previous) return { parameters, m: previous.m, v: previous.v, step: previous.step };
  if (!restored) return newTrainingState(model, received);
  const names = model.parameters.map(({ name }) => name);
  const part = (prefix: string) => new Map(names.map((name) => [name, take(restored, `${prefix}.${name}`)]));
  return { parameters, m: part('m'), v: part('v'), step: Number(take(restored, 'step').data[0]) };
}

/** Adam's moments and step count as tensors. */
export function momentsOf(state: TrainingState): NamedTensors {
  const tensors = new Map<string, Tensor>([['step', tensor('float64', [1], Float64Array.of(state.step))]]);
  for (const [name, value] of state.m) tensors.set(`m.${name}`, value);
  for (const [name, value] of state.v) tensors.set(`v.${name}`, value);
  return tensors;
}

function take(tensors: NamedTensors, name: string): Tensor {
  const found = tensors.get(name);
  if (!found) throw new InternalError(`The site's saved state has no tensor '${name}'.`);
  return found;
}
