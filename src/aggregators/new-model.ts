import { NonFiniteError } from '../errors';
import { firstNonFinite } from '../tensor/first-non-finite';
import type { NamedTensors, Tensor } from '../tensor/tensor';
import type { AggregatorOptions } from './aggregator';

/**
 * The global model from what stands for the updates of a round, tensor by tensor in the order of the model: added to the model
 * where updates are differences. In float64, rounded once to the model's dtype, or not at all for `precise`; a counter (int64) to the
 * nearest whole number.
 *
 * @throws NonFiniteError when a number leaves the range of its dtype.
 */
export function newModel(options: AggregatorOptions, values: readonly Float64Array[]): NamedTensors {
  const tensors = [...options.reference].map(([name, before], t): [string, Tensor] => {
    const tensor = newTensor(options, before, values[t]!);
    if (firstNonFinite(tensor) === -1) return [name, tensor];
    throw new NonFiniteError(`What becomes of tensor '${name}' is too large for ${before.dtype}.`);
  });
  return new Map(tensors);
}

function newTensor({ kind, precise }: AggregatorOptions, before: Tensor, value: Float64Array): Tensor {
  const { dtype, shape } = before;
  const isWhole = kind === 'weights';
  if (before.data instanceof BigInt64Array) {
    const from = before.data;
    return { dtype, shape, data: from.map((count, i) => (isWhole ? 0n : count) + BigInt(Math.round(value[i]!))) };
  }
  const from = before.data as Float32Array | Float64Array;
  const data = isWhole ? value : value.map((change, i) => from[i]! + change);
  if (precise || dtype === 'float64') return { dtype: 'float64', shape, data };
  return { dtype, shape, data: Float32Array.from(data) };
}
