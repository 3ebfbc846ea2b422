import type { AggregatorSpecOf } from '../jobs/aggregator-spec';
import type { Aggregator, AggregatorOptions } from './aggregator';
import { distancesTo, moveTowards, originOf, type Point } from './points';
import { robust } from './robust';

/**
 * Norm clipping (Sun et al. 2019, https://arxiv.org/abs/1911.07963): the mean of the sites' changes, each shortened to the
 * norm C at most, Δ·min(1, C/‖Δ‖). No site moves the model by more than C/n, but it moves it where it wants: a bound, not a defence. It
 * adds no noise; `site-out` filters do. Ignores the sites' steps.
 */
export function normClipping(spec: AggregatorSpecOf<'norm-clipping'>, options: AggregatorOptions): Aggregator {
  return robust(spec, options, async (points) => {
    const values = originOf(options);
    await clippedStep(values, points, spec.maxNorm);
    return { values };
  });
}

/** Moves the centre, in place, by the mean of the differences of the points to it, each shortened to `longest`. */
export async function clippedStep(
  centre: readonly Float64Array[],
  points: readonly Point[],
  longest: number,
): Promise<void> {
  const distances = await distancesTo(centre, points);
  await moveTowards(
    centre,
    points,
    distances.map((distance) => Math.min(1, longest / distance) / points.length),
  );
}
