/**
 * What training changes: parameters, buffers, and what the optimiser keeps.
 *
 * @module
 */
import { ShapeError } from '../errors';
import { float32, type NamedTensors, sameShape, sizeOf, type Tensor } from '../tensor/tensor';
import { parameterFeeds } from './checks';
import type { Model } from './models/definition';
import { ruleOf } from './optimisers/optimiser';
import { type ModelTraining, trainedGroups } from './parameter-groups';

/** A step replaces tensors, it never writes into them. */
export interface TrainingState {
  /** All parameters of the model, frozen ones too. */
  parameters: Map<string, Tensor>;
  /** Running statistics and counters; empty when the model has none. */
  buffers: Map<string, Tensor>;
  /** What the optimiser keeps: slot → trained parameter → tensor of its shape. Adam's slots are `m` and `v`. */
  slots: Map<string, Map<string, Tensor>>;
  /** Steps done. */
  step: number;
}

/**
 * The state before the first step: the given weights and buffers, which are not copied, and zero slots.
 *
 * @throws ShapeError when a tensor is missing or does not fit; ConfigError when the optimiser or a group is wrong
 */
export function newTrainingState(training: ModelTraining, tensors: NamedTensors): TrainingState {
  const { model } = training;
  const parameters = [...parameterFeeds(model, tensors)].map(
    ([name, { shape, data }]) => [name, float32(shape, data)] as const,
  );
  const slots = new Map<string, Map<string, Tensor>>();
  for (const [slot, name, shape] of slotShapes(training)) {
    const tensorsOfSlot = slots.get(slot) ?? new Map<string, Tensor>();
    slots.set(slot, tensorsOfSlot.set(name, float32(shape, new Float32Array(sizeOf(shape)))));
  }
  return { parameters: new Map(parameters), buffers: buffersOf(model, tensors), slots, step: 0 };
}

/** Every tensor that the optimiser keeps: slot, parameter and shape. */
export function* slotShapes(training: ModelTraining) {
  for (const { settings, parameters } of trainedGroups(training)) {
    for (const slot of ruleOf(settings).slots(settings)) {
      for (const { name, shape } of parameters) yield [slot, name, shape] as const;
    }
  }
}

/** The model's buffers out of `tensors`. @throws ShapeError naming the first that is missing or does not fit */
export function buffersOf(model: Model, tensors: NamedTensors): Map<string, Tensor> {
  const found = (model.buffers ?? []).map(({ name, dtype, shape }) => {
    const tensor = tensors.get(name);
    if (!tensor) throw new ShapeError(`The model's buffer '${name}' is missing.`);
    if (tensor.dtype !== dtype || !sameShape(tensor.shape, shape)) {
      throw new ShapeError(`Buffer '${name}' must be ${dtype} [${shape}], but is ${tensor.dtype} [${tensor.shape}].`);
    }
    return [name, tensor] as const;
  });
  return new Map(found);
}

/** The model's whole state in the order of its `state_dict()`: parameters and buffers. */
export function modelState(
  model: Model,
  { parameters, buffers }: Pick<TrainingState, 'parameters' | 'buffers'>,
): NamedTensors {
  const order = model.stateOrder ?? model.parameters.map(({ name }) => name);
  return new Map(order.map((name) => [name, (parameters.get(name) ?? buffers.get(name))!]));
}
