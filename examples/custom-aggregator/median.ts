import { defineAggregator, floatsOf, mapFloats, type SiteUpdate, validateUpdate, z } from '../../src';

/** The median of the sites, number by number: one site alone cannot carry the model away, whatever it sends. */
export const median = defineAggregator({
  module: __filename,
  kind: 'example/median',
  options: z.strictObject({}),
  create: (_, round) => {
    const taken: SiteUpdate[] = [];
    return {
      add(update) {
        validateUpdate(update, round); // Refuses what does not fit the model, before anything of it counts.
        taken.push(update);
      },
      contributions: () => taken.map(({ site, payload }) => ({ site, steps: payload.steps })),
      finish: () =>
        mapFloats(round.reference, (x, index, name) => {
          const middle = medianOf(taken.map(({ payload }) => floatsOf(payload.tensors.get(name)!)[index]!));
          return round.kind === 'weight-diff' ? x + middle : middle;
        }),
    };
  },
});

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
