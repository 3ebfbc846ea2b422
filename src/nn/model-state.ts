/**
 * A model's whole state, parameters and buffers, and what a file has of it.
 *
 * @module
 */
import { type ExpectedTensor, matchTensors, requireTensors, type TensorMatch } from '../tensor/match-tensors';
import type { NamedTensors } from '../tensor/tensor';
import type { Model } from './models/definition';

/** Every tensor of the model's state, as PyTorch's `state_dict()` lists them, aliases left out. */
export function stateTensors(model: Model): readonly ExpectedTensor[] {
  const { parameters, buffers = [], stateOrder } = model;
  if (!stateOrder) return parameters;
  const byName = new Map<string, ExpectedTensor>([...parameters, ...buffers].map((spec) => [spec.name, spec]));
  return stateOrder.map((name) => byName.get(name)!);
}

/** What a file's tensors have of a model's state. Nothing is thrown. */
export function matchState(model: Model, found: NamedTensors): TensorMatch {
  return matchTensors(stateTensors(model), found, model.aliases && { aliases: model.aliases });
}

/** The model's state out of a file's tensors. @param source for messages. @throws DataError listing what does not fit */
export function requireState(model: Model, found: NamedTensors, source: string) {
  return requireTensors(stateTensors(model), found, source, model.aliases && { aliases: model.aliases });
}

/** The state as the original's software lists it: with the further names of tensors that it lists twice. */
export function withAliases({ aliases = new Map() }: Model, state: NamedTensors): NamedTensors {
  const others = [...aliases].flatMap(([alias, name]) => {
    const one = state.get(name);
    return one ? [[alias, one] as const] : [];
  });
  return others.length === 0 ? state : new Map([...state, ...others]);
}
