/**
 * Sums of updates in float64, and the mean that they come to: what the weighted mean is computed with.
 *
 * @module
 */
import { NonFiniteError } from '../errors';
import { firstNonFinite } from '../tensor/first-non-finite';
import { allocate, type NamedTensors, type Tensor } from '../tensor/tensor';
import { giveMemoryBack, takeMemory } from '../util/spare-memory';
import type { AggregatorOptions } from './aggregator';

/** A sum for each number of the model, in one piece of memory that other rounds use again. */
export function zeroSums(reference: NamedTensors) {
  const lengths = [...reference.values()].map(({ data }) => data.length);
  const length = lengths.reduce((total, ofTensor) => total + ofTensor, 0);
  const memory = takeMemory(length * Float64Array.BYTES_PER_ELEMENT);
  const all = new Float64Array(memory, 0, length).fill(0);
  let at = 0;
  const byTensor = lengths.map((ofTensor) => {
    at += ofTensor;
    return all.subarray(at - ofTensor, at);
  });
  return { byTensor, length, release: () => giveMemoryBack(memory) };
}

/** An update on its way into the sums. */
export interface WeightedUpdate {
  readonly tensors: NamedTensors;
  readonly release: (() => void) | undefined;
  readonly weight: number;
}

/** Adds a tensor of each update to its sum, the first update first. */
export function accumulate(sum: Float64Array, name: string, updates: readonly WeightedUpdate[]): void {
  const terms = updates.map(({ tensors, weight }) => ({ weight, data: numbersOf(tensors.get(name)!) }));
  const [a, b, c, d] = terms;
  if (a && b && c && d) addFour(sum, [a, b, c, d]);
  else for (const { weight, data } of terms) for (let i = 0; i < sum.length; i++) sum[i]! += weight * data[i]!;
}

type Numbers = Float32Array | Float64Array;

/** Counters as numbers: exact below 2⁵³. */
function numbersOf({ data }: Tensor): Numbers {
  return data instanceof BigInt64Array ? Float64Array.from(data, Number) : (data as Numbers);
}

interface Term {
  readonly weight: number;
  readonly data: Numbers;
}

/** The same additions in the same order as one update after the other, so that the bits are the same. */
function addFour(sum: Float64Array, [a, b, c, d]: readonly [Term, Term, Term, Term]): void {
  const [u, v, w, x] = [a.data, b.data, c.data, d.data];
  const [p, q, r, s] = [a.weight, b.weight, c.weight, d.weight];
  for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + p * u[i]! + q * v[i]! + r * w[i]! + s * x[i]!;
}

/** The sums by their total weight, as the new model. @throws NonFiniteError when a mean is too large for its dtype */
export function meanOf(options: AggregatorOptions, sums: readonly Float64Array[], total: number): NamedTensors {
  const model = new Map<string, Tensor>();
  let t = 0;
  for (const [name, before] of options.reference) {
    const sum = sums[t++]!;
    const mean =
      before.dtype === 'int64' ? meanCount(options, before, sum, total) : meanNumbers(options, before, sum, total);
    if (firstNonFinite(mean) !== -1)
      throw new NonFiniteError(`The mean of tensor '${name}' is too large for ${before.dtype}.`);
    model.set(name, mean);
  }
  return model;
}

function meanNumbers({ kind, precise }: AggregatorOptions, before: Tensor, sum: Float64Array, total: number): Tensor {
  const from = before.data as Float32Array | Float64Array;
  const dtype = precise ? 'float64' : before.dtype;
  const to = allocate(dtype, sum.length) as Float32Array | Float64Array;
  if (kind === 'weights') for (let i = 0; i < to.length; i++) to[i] = sum[i]! / total;
  else for (let i = 0; i < to.length; i++) to[i] = from[i]! + sum[i]! / total;
  return { dtype, shape: before.shape, data: to };
}

function meanCount({ kind }: AggregatorOptions, before: Tensor, sum: Float64Array, total: number): Tensor {
  const from = before.data as BigInt64Array;
  const whole = (i: number) => BigInt(Math.round(sum[i]! / total));
  const data = from.map((count, i) => (kind === 'weights' ? whole(i) : count + whole(i)));
  return { dtype: 'int64', shape: before.shape, data };
}
