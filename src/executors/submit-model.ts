/**
 * A site's own model for cross-site evaluation, around any trainer: what it trained last is kept, and given when the server
 * asks for it. It leaves the site through the filters that stand at `site-out`.
 *
 * @module
 */
import { DataError } from '../errors';
import type { NamedTensors, Tensor, TensorData } from '../tensor/tensor';
import { leaveMemory } from '../tensor/update-memory';
import type { Executor, ExecutorResult } from './executor';

const prefix = 'submitted/';

/** The trained model and the steps behind it. */
interface Trained {
  readonly model: NamedTensors;
  readonly steps: number;
}

/** The executor with the task `submit-model`. What it keeps is part of its state, so a run that goes on has it. */
export function withSubmitModel(inner: Executor): Executor {
  let last: Trained | undefined;
  return {
    async execute(task, context) {
      if (task.kind === 'submit-model') return submission(last);
      const result = await inner.execute(task, context);
      const { kind, tensors, steps } = result.payload;
      if (kind === 'weights') leaveMemory(tensors); // They are kept beyond the answer.
      if (task.kind === 'train') last = { model: kind === 'weights' ? tensors : added(task.model, tensors), steps };
      return result;
    },
    state() {
      const kept = last ? [...last.model].map(([name, tensor]) => [prefix + name, tensor] as const) : [];
      const steps = last ? [[`${prefix}`, stepsTensor(last.steps)] as const] : [];
      return new Map([...(inner.state() ?? new Map<string, Tensor>()), ...kept, ...steps]);
    },
    restore(state = new Map()) {
      const mine = [...state].filter(([name]) => name.startsWith(prefix));
      const kept = new Map(mine.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
      const steps = kept.get('');
      kept.delete('');
      last = steps ? { model: kept, steps: Number(steps.data[0]) } : undefined;
      const rest = new Map([...state].filter(([name]) => !name.startsWith(prefix)));
      inner.restore(rest.size > 0 ? rest : undefined);
    },
    close: async () => inner.close?.(),
  };
}

function submission(last: Trained | undefined): ExecutorResult {
  if (!last) {
    throw new DataError('This site has trained no model in this run, so it has none to submit.', {
      hint: 'Every site takes part in the last rounds when sitesPerRound is left out.',
    });
  }
  const payload = { kind: 'weights', tensors: last.model, metrics: {}, steps: last.steps } as const;
  return { payload, seconds: { validate: 0, train: 0 } };
}

function stepsTensor(steps: number): Tensor {
  return { dtype: 'float64', shape: [1], data: Float64Array.of(steps) };
}

/** The received model with the change that training made. */
function added(received: NamedTensors, change: NamedTensors): NamedTensors {
  return new Map(
    [...received].map(([name, tensor]) => [name, { ...tensor, data: sum(tensor.data, change.get(name)!.data) }]),
  );
}

function sum(base: TensorData, change: TensorData): TensorData {
  if (base instanceof BigInt64Array) return base.map((value, i) => value + (change as BigInt64Array)[i]!);
  return (base as Float32Array).map((value, i) => value + (change as Float32Array)[i]!);
}
