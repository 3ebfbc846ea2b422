import type { FilterContext } from '../../src/filters/filter';
import type { PrivacyCost } from '../../src/privacy/cost';
import { seededTestNoise } from '../../src/privacy/seeded-test-noise';
import type { Payload } from '../../src/protocol/payload';
import { float32, type Tensor } from '../../src/tensor/tensor';

/** A filter context whose ledger is the array `costs`. Noise is seeded unless another source is given. */
export function testContext(over: Partial<FilterContext> = {}): FilterContext & { readonly costs: PrivacyCost[] } {
  const costs: PrivacyCost[] = [];
  return {
    site: 'site-1',
    task: 'train',
    round: 0,
    signal: new AbortController().signal,
    noise: seededTestNoise(1),
    spent: () => costs.reduce((sum, cost) => sum + cost.epsilon, 0),
    charge: async (_, cost) => {
      costs.push(cost);
    },
    costs,
    ...over,
  };
}

/** A weight difference of vectors named t0, t1, …, after `steps` steps. */
export function weightDiff(vectors: readonly (readonly number[])[], steps = 1): Payload {
  const tensors = new Map<string, Tensor>(vectors.map((vector, i) => [`t${i}`, float32([vector.length], vector)]));
  return { kind: 'weight-diff', tensors, metrics: { train_loss: 0.5 }, steps };
}

/** All numbers of a payload, in order. */
export function numbersOf(payload: Payload): number[] {
  return [...payload.tensors.values()].flatMap(({ data }) => [...data].map(Number));
}
