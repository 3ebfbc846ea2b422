import type { AggregatorSpecOf } from '../jobs/aggregator-spec';
import { type NamedTensors, type Tensor, tensor } from '../tensor/tensor';
import { type Aggregator, type AggregatorOptions, aggregatorMemory } from './aggregator';
import { clippedStep } from './norm-clipping';
import { isNumbers, originOf } from './points';
import { robust } from './robust';

/** Name in the server's memory of the change of the round before, for each tensor. */
const nameOf = (tensorName: string): string => `${aggregatorMemory}centre/${tensorName}`;

/**
 * Centred clipping (Karimireddy et al. 2021, https://arxiv.org/abs/2012.10333, equation CC): from what the model changed by in the round
 * before, v, first zero, the centre moves by the mean of the differences to it, each shortened to the radius τ, L times:
 *
 *     v ← v + (1/n) Σ (Δᵢ − v)·min(1, τ / ‖Δᵢ − v‖)
 *
 * A wrong update pulls by τ/n at most. v is what the server keeps: one more copy of the model in its checkpoint. Ignores the sites' steps.
 */
export function centredClipping(spec: AggregatorSpecOf<'centred-clipping'>, options: AggregatorOptions): Aggregator {
  return robust(spec, options, async (points) => {
    const origin = originOf(options);
    const centre = startOf(options, origin);
    for (let step = 0; step < spec.iterations; step++) await clippedStep(centre, points, spec.radius);
    return { values: centre, memory: changeOf(options, origin, centre) };
  });
}

/** The origin moved by the change of the round before. */
function startOf({ reference, memory }: AggregatorOptions, origin: readonly Float64Array[]): Float64Array[] {
  return floatNames(reference).map((name, t) => {
    const change = memory?.get(nameOf(name))?.data as Float32Array | Float64Array | undefined;
    return change ? origin[t]!.map((x, i) => x + change[i]!) : origin[t]!.slice();
  });
}

function changeOf(
  { reference }: AggregatorOptions,
  origin: readonly Float64Array[],
  centre: readonly Float64Array[],
): NamedTensors {
  const change = floatNames(reference).map((name, t): [string, Tensor] => {
    const { shape } = reference.get(name)!;
    const data = Float32Array.from(centre[t]!, (x, i) => x - origin[t]![i]!);
    return [nameOf(name), tensor('float32', shape, data)];
  });
  return new Map(change);
}

function floatNames(reference: NamedTensors): string[] {
  return [...reference].flatMap(([name, { data }]) => (isNumbers(data) ? [name] : []));
}
