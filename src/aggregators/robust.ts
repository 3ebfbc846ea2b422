/**
 * What the robust aggregators share. Each takes the updates of a round as points of equal weight, because what a site says of
 * its steps is as little to be trusted as its tensors.
 *
 * @module
 */
import { type BuiltInAggregatorSpec, fewestUpdates } from '../jobs/aggregator-spec';
import type { NamedTensors } from '../tensor/tensor';
import type { Aggregator, AggregatorOptions } from './aggregator';
import { type CollectedUpdate, collectUpdates } from './collect-updates';
import { medianOfSorted, sortColumn } from './columns';
import { newModel } from './new-model';
import { isNumbers, type Point } from './points';

/** What a rule makes of the updates. */
export interface Centre {
  /** What stands for all updates, by floating-point tensor. */
  readonly values: readonly Float64Array[];
  /** What it keeps for the next round. @default nothing */
  readonly memory?: NamedTensors;
}

/**
 * An aggregator by a robust rule. Counters (int64) are no part of the points, as they would outweigh everything else in a distance:
 * they become their median.
 *
 * @param combine gets the points in site order, at least as many as the specification needs
 */
export function robust(
  spec: BuiltInAggregatorSpec,
  options: AggregatorOptions,
  combine: (points: readonly Point[]) => Promise<Centre>,
): Aggregator {
  return collectUpdates(options, {
    name: spec.kind,
    fewest: fewestUpdates(spec),
    async combine(updates) {
      const all = await tensorsOf(updates);
      const { values, memory = new Map() } = await combine(all.map((tensors) => pointOf(options.reference, tensors)));
      return { model: newModel(options, withCounters(options.reference, values, all)), memory };
    },
  });
}

/** One after the other, as they are read from disk. */
async function tensorsOf(updates: readonly CollectedUpdate[]): Promise<NamedTensors[]> {
  const all: NamedTensors[] = [];
  for (const update of updates) all.push(await update.tensors());
  return all;
}

function pointOf(reference: NamedTensors, tensors: NamedTensors): Point {
  return [...reference.keys()].flatMap((name) => {
    const { data } = tensors.get(name)!;
    return isNumbers(data) ? [data] : [];
  });
}

/** The values of all tensors, in the order of the model. */
function withCounters(
  reference: NamedTensors,
  values: readonly Float64Array[],
  all: readonly NamedTensors[],
): Float64Array[] {
  let t = 0;
  return [...reference].map(([name, { data }]) => {
    if (isNumbers(data)) return values[t++]!;
    const counts = all.map((tensors) => tensors.get(name)!.data);
    return Float64Array.from({ length: data.length }, (_, i) =>
      medianOfSorted(sortColumn(Float64Array.from(counts, (each) => Number(each[i])))),
    );
  });
}
