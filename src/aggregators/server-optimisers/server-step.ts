/**
 * One step of a server optimiser: the adaptive federated optimisation of Reddi et al. 2021 (https://arxiv.org/abs/2003.00295,
 * "FedOpt"). The mean of what the sites changed stands for a gradient, and the server takes a step along it.
 *
 * @module
 */
import { NonFiniteError } from '../../errors';
import type { ServerOptimiserKind, ServerOptimiserSettings } from '../../jobs/server-optimiser-spec';
import { scheduleFactor } from '../../nn/schedules/schedule';
import { firstNonFinite } from '../../tensor/first-non-finite';
import { type NamedTensors, type Tensor, tensor } from '../../tensor/tensor';
import { adagrad } from './adagrad';
import { adam } from './adam';
import type { ServerRule } from './rule';
import { sgd } from './sgd';
import { yogi } from './yogi';

const rules: { readonly [K in ServerOptimiserKind]: ServerRule<K> } = { sgd, adam, yogi, adagrad };

export interface ServerStepOptions {
  /** The global model that the round started from. */
  readonly before: NamedTensors;
  /** The mean of the sites' models, best in float64: the step is rounded once, to the dtypes of the model. */
  readonly mean: NamedTensors;
  /** What the server keeps from round to round. */
  readonly memory: NamedTensors;
  readonly round: number;
  /** Tensors that are optimised. The others, running statistics and counters, become the mean, or are optimised too if the settings say so. */
  readonly parameters: ReadonlySet<string>;
}

/** The global model after the step, and what the server keeps now: its own tensors, and whatever else was in the memory. */
export interface ServerStepResult {
  readonly model: NamedTensors;
  readonly memory: NamedTensors;
}

/** Name in the server's memory of what the optimiser keeps of a parameter. */
const nameOf = (slot: string, parameter: string): string => `server-optimiser.${slot}/${parameter}`;

/**
 * The state is explicit and in float64, so a run that goes on from a checkpoint gives the same bytes.
 *
 * @throws NonFiniteError when the step leaves the range of the model's dtype.
 */
export function serverStep(settings: ServerOptimiserSettings, options: ServerStepOptions): ServerStepResult {
  const { before, mean, memory, round, parameters } = options;
  const rule = rules[settings.kind] as ServerRule<ServerOptimiserKind>;
  const { learningRate, schedule } = settings;
  const rate = schedule ? learningRate * scheduleFactor(schedule, round) : learningRate;
  const kept = new Map(memory);
  const model = new Map<string, Tensor>();
  for (const [name, old] of before) {
    const target = mean.get(name)!;
    if (!parameters.has(name) && settings.statistics === 'mean') {
      model.set(name, rounded(name, old, target));
      continue;
    }
    const slots: Record<string, Float64Array> = {};
    for (const [slot, first] of Object.entries(rule.slots(settings))) {
      const earlier = memory.get(nameOf(slot, name));
      slots[slot] = earlier
        ? Float64Array.from(earlier.data as Float64Array)
        : new Float64Array(old.data.length).fill(first);
      kept.set(nameOf(slot, name), tensor('float64', old.shape, slots[slot]));
    }
    const w = numbersOf(old);
    const delta = numbersOf(target).map((value, i) => value - w[i]!);
    const step = rule.step(settings, { delta, slots, rate, round });
    model.set(name, rounded(name, old, { data: step.map((change, i) => w[i]! + change) }));
  }
  return { model, memory: kept };
}

/** Counters as numbers too: exact below 2⁵³. */
function numbersOf({ data }: Tensor): Float64Array {
  return data instanceof BigInt64Array ? Float64Array.from(data, Number) : Float64Array.from(data as Float64Array);
}

/**
 * The numbers in the dtype of the model's tensor; those of a counter to the nearest whole one.
 *
 * @throws NonFiniteError when one leaves its range
 */
export function rounded(name: string, like: Tensor, { data }: Pick<Tensor, 'data'>): Tensor {
  const { dtype, shape } = like;
  const result = { dtype, shape, data: inDtype(dtype, data) };
  if (firstNonFinite(result) === -1) return result;
  throw new NonFiniteError(`The server's step takes tensor '${name}' out of the range of ${dtype}.`, {
    hint: "Lower the server optimiser's learningRate.",
  });
}

function inDtype(dtype: Tensor['dtype'], data: Tensor['data']): Tensor['data'] {
  if (!(data instanceof Float64Array)) return data;
  if (dtype === 'int64') return BigInt64Array.from(data, (value) => BigInt(Math.round(value)));
  return dtype === 'float32' ? Float32Array.from(data) : data;
}
