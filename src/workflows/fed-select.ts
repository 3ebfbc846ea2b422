/**
 * FedSelect (Tamirisa et al. 2024, https://arxiv.org/abs/2404.02478): single numbers of the model become a site's own where its
 * training moves them most (`executors/fed-select.ts`); the others are averaged.
 *
 * A site k sends its change Δ_k and m_k, 1 where a number is shared with it. Number by number, over the sites that share it,
 *
 *     w ← w + Σ n_k·m_k·Δ_k / Σ n_k·m_k
 *
 * with the weights n_k of the job's mean; a number that no site shares stays. Statistics and counters are shared by all.
 *
 * @module
 */
import { rounded } from '../aggregators/server-optimisers/server-step';
import { joinShares, shareOf } from '../protocol/shared-shares';
import { floatsOf, type NamedTensors, type Tensor } from '../tensor/tensor';
import { askSites } from './ask-sites';
import { finalEvaluation, foldingInto, type RoundsSpec, trainingRounds } from './training-rounds';
import type { RoundReport, WorkflowParts, WorkflowState } from './workflow';

/** Yields a report a round, and one more for the finished model. */
export async function* fedSelect(
  spec: RoundsSpec,
  start: WorkflowState,
  parts: WorkflowParts,
): AsyncGenerator<RoundReport> {
  const state = yield* trainingRounds(spec, start, parts, async ({ round, model, memory }, sites) => {
    const shape = joinShares(model, nothingShared(model, parts.parameters));
    const aggregator = parts.aggregator(shape, round, { kind: 'weight-share-diff', precise: true });
    const asked = { ...spec, sites, ...foldingInto(aggregator, parts, sites) };
    const participations = await askSites({ kind: 'train', round, model }, parts, asked);
    return { model: overSharers(model, await aggregator.finish()), memory, sites: participations };
  });
  yield await finalEvaluation(spec, state, parts);
}

/** What the aggregator adds up from. */
function nothingShared(model: NamedTensors, parameters: ReadonlySet<string>): NamedTensors {
  const trained = [...model].filter(([name]) => parameters.has(name));
  return new Map(
    trained.map(([name, { shape, data }]) => [name, { dtype: 'float32', shape, data: new Float32Array(data.length) }]),
  );
}

/** @param mean of the sites' models and of what they share, over all sites */
function overSharers(model: NamedTensors, mean: NamedTensors): NamedTensors {
  return new Map(
    [...model].map(([name, before]): [string, Tensor] => {
      const target = mean.get(name)!;
      const share = shareOf(mean, name);
      if (!share) return [name, rounded(name, before, target)];
      const [w, all, part] = [floatsOf(before), floatsOf(target), floatsOf(share)];
      const data = Float64Array.from(w, (value, i) => {
        if (part[i] === 1) return all[i]!;
        return part[i] === 0 ? value : value + (all[i]! - value) / part[i]!;
      });
      return [name, rounded(name, before, { data })];
    }),
  );
}
