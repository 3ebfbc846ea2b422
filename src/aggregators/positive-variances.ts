import { mapFloats, type NamedTensors } from '../tensor/tensor';

/** How PyTorch's normalisation layers call their running variances, and so do ours. */
const runningVariance = /(^|\.)running_var$/;

/** In place of a variance below 0: what normalisation layers add to theirs. */
const leastVariance = 1e-5;

/** A model, and what is to be told of it. */
export interface PositiveVariances {
  readonly model: NamedTensors;
  readonly notes: readonly string[];
}

/**
 * Keeps running variances from below 0, where their root is not a number and takes every output of the network with it. A mean of
 * variances is none below 0; a step of a server optimiser over them, noise, or a site that sends something else can be.
 *
 * @param parameters tensors that training moves: none of them is a statistic, whatever its name
 * @param personal tensors of which sites use their own: kept above 0 too, but nothing is told, as no site is the worse for it
 */
export function positiveVariances(
  model: NamedTensors,
  parameters: ReadonlySet<string>,
  personal: ReadonlySet<string> = new Set(),
): PositiveVariances {
  const variances = [...model].filter(([name]) => runningVariance.test(name) && !parameters.has(name));
  const negative = variances.filter(([, { data }]) => (data as Float64Array).some((value) => value < 0));
  if (negative.length === 0) return { model, notes: [] };
  const mended = mapFloats(new Map(negative), (value) => (value < 0 ? leastVariance : value));
  const shared = negative.flatMap(([name]) => (personal.has(name) ? [] : [name]));
  return { model: new Map([...model, ...mended]), notes: shared.length > 0 ? [noteOn(shared)] : [] };
}

function noteOn(names: readonly string[]): string {
  const known = names.slice(0, 4).join(', ') + (names.length > 4 ? `, … (${names.length} tensors)` : '');
  return `Running variances came out below 0 and were kept at ${leastVariance}: ${known}. A server optimiser should leave them alone (serverOptimiser.statistics: mean), or sites keep their own normalisation layers (personal: normalisation).`;
}
