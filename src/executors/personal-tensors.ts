/**
 * Tensors that a site keeps for itself, around any trainer: FedBN (Li et al. 2021, https://arxiv.org/abs/2102.07623) with those of
 * the normalisation layers, FedMRI (Feng et al. 2022, https://arxiv.org/abs/2112.05752) with all but the encoder.
 *
 * Before training and before validation the site puts its own in the place of those that came; until it has trained, it has
 * those that came. What it sends holds every tensor, as the published code does: with weight differences, that of a personal
 * one is to what the server sent, so that the server has the mean of the sites' models either way. Nobody loads the mean of
 * the personal ones but a site that has not trained yet.
 *
 * @module
 */
import type { Task } from '../protocol/messages';
import type { NamedTensors, Tensor, TensorData } from '../tensor/tensor';
import { sendableTensors } from '../tensor/update-memory';
import type { Executor, ExecutorResult } from './executor';
import { joinStates, splitStates } from './state-parts';
import { subtract } from './trainer';

export interface PersonalOptions {
  /** Names of the personal tensors of the model. */
  readonly personalOf: (model: NamedTensors) => ReadonlySet<string>;
  /** Writes the site's own model; durable when it resolves. */
  readonly keep: (model: NamedTensors) => Promise<void>;
}

/** The executor with personal tensors, which are part of its state; at a `validate` task, the site's model is kept. */
export function withPersonalTensors(inner: Executor, { personalOf, keep }: PersonalOptions): Executor {
  /** The site's own, after its last training. */
  let own: NamedTensors | undefined;
  return {
    async execute(task, context) {
      if (task.kind !== 'train' && task.kind !== 'validate') return inner.execute(task, context);
      // Without its own the site has the very model that came, and shares its scores with others.
      const model = own ? replaced(task.model, own) : task.model;
      const result = await inner.execute({ ...task, model }, context);
      if (task.kind === 'validate') await keep(model);
      else own = ownOf(trainedModel(model, result), personalOf(task.model));
      return task.kind === 'train' ? { ...result, payload: asSent(task, result, own!) } : result;
    },
    state: () => joinStates({ trainer: inner.state(), personal: own }),
    restore(state) {
      const parts = splitStates(state, ['trainer', 'personal']);
      own = parts.personal;
      inner.restore(parts.trainer);
    },
    close: async () => inner.close?.(),
  };
}

/** The model with some tensors in the place of its own, in its order. */
function replaced(model: NamedTensors, own: NamedTensors): NamedTensors {
  return new Map([...model].map(([name, tensor]) => [name, own.get(name) ?? tensor]));
}

/** The model that training gave. @param start what it started from */
export function trainedModel(start: NamedTensors, { payload, trained }: ExecutorResult): NamedTensors {
  if (trained) return trained;
  if (payload.kind === 'weights') return payload.tensors;
  const moved = (name: string, { data }: Tensor) => sum(data, payload.tensors.get(name)!.data);
  return new Map([...start].map(([name, tensor]) => [name, { ...tensor, data: moved(name, tensor) }]));
}

function sum(base: TensorData, change: TensorData): TensorData {
  if (base instanceof BigInt64Array) return base.map((value, i) => value + (change as BigInt64Array)[i]!);
  return (base as Float32Array).map((value, i) => value + (change as Float32Array)[i]!);
}

/** Those of the tensors that are personal. */
function ownOf(trained: NamedTensors, names: ReadonlySet<string>): NamedTensors {
  return copied(new Map([...trained].filter(([name]) => names.has(name))));
}

/** Trained tensors may be in memory that is used again. */
export function copied(tensors: NamedTensors): NamedTensors {
  return new Map([...tensors].map(([name, tensor]) => [name, { ...tensor, data: tensor.data.slice() }]));
}

/** Differences of personal tensors are to what the server sent; nothing else changes. */
function asSent({ model }: Task, { payload }: ExecutorResult, own: NamedTensors): ExecutorResult['payload'] {
  if (payload.kind === 'weights') return payload;
  const tensors = sendableTensors(payload.tensors); // In memory of the update's own, to be written into.
  for (const [name, tensor] of own) subtract(tensors.get(name)!.data, tensor.data, model.get(name)!.data);
  return { ...payload, tensors };
}
