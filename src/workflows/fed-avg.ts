/**
 * Federated averaging (McMahan et al. 2017, https://arxiv.org/abs/1602.05629): every round the sites validate the global
 * model, train it on their own cases, and the server adds the weighted mean of what they answer.
 *
 * With a server optimiser, the server takes a step along that mean instead (Reddi et al. 2021,
 * https://arxiv.org/abs/2003.00295). With a proximal μ, the sites are held near the global model (FedProx, Li et al. 2020,
 * https://arxiv.org/abs/1812.06127). With FedMRI's contrast term, each site is told the shared weights of all (Feng et al. 2022,
 * https://arxiv.org/abs/2112.05752).
 *
 * @module
 */
import type { Aggregator } from '../aggregators/aggregator';
import { positiveVariances } from '../aggregators/positive-variances';
import { serverStep } from '../aggregators/server-optimisers/server-step';
import type { ServerOptimiserSettings } from '../jobs/server-optimiser-spec';
import type { Task } from '../protocol/messages';
import { allPrevious } from '../protocol/previous-weights';
import { askSites } from './ask-sites';
import { keepPrevious } from './previous-weights';
import {
  aggregateOf,
  finalEvaluation,
  foldingInto,
  type RoundOutcome,
  type RoundsSpec,
  trainingRounds,
} from './training-rounds';
import type { RoundReport, WorkflowParts, WorkflowState } from './workflow';

export interface FedAvgSpec extends RoundsSpec {
  /** @default the global model becomes the mean */
  readonly serverOptimiser?: ServerOptimiserSettings | undefined;
  /** FedProx μ, a setting of the `train` tasks. @default none */
  readonly proximalMu?: number | undefined;
  /** What the proximal term holds the sites near. @default 'round': the model that they received */
  readonly proximalReference?: 'round' | 'epoch' | undefined;
  /** FedMRI's contrast term. @default none: the server keeps no weights of single sites */
  readonly contrast?: object | undefined;
}

/** Yields a report a round, and one more for the finished model. */
export async function* fedAvg(
  spec: FedAvgSpec,
  start: WorkflowState,
  parts: WorkflowParts,
): AsyncGenerator<RoundReport> {
  const state = yield* trainingRounds(spec, start, parts, (before, sites) =>
    averagingRound(spec, before, parts, sites),
  );
  yield await finalEvaluation(spec, state, parts);
}

/** One round of federated averaging with these sites. */
export async function averagingRound(
  spec: FedAvgSpec,
  state: WorkflowState,
  parts: WorkflowParts,
  sites: readonly string[],
): Promise<RoundOutcome> {
  const { serverOptimiser } = spec;
  const { round, model } = state;
  const { parameters, personal } = parts;
  const aggregator = parts.aggregator(model, round, { precise: serverOptimiser !== undefined, memory: state.memory });
  const { participations, memory } = await train(spec, state, parts, { sites, aggregator });
  const mean = await aggregateOf(aggregator, memory);
  const after = serverOptimiser
    ? serverStep(serverOptimiser, { before: model, mean: mean.tensors, memory: mean.memory, round, parameters })
    : { model: mean.tensors, memory: mean.memory };
  const positive = positiveVariances(after.model, parameters, personal);
  return { ...after, model: positive.model, sites: participations, notes: [...mean.notes, ...positive.notes] };
}

/** Asks the sites to train, and gives the aggregator what they answer. The memory has what the contrast term needs. */
async function train(
  { proximalMu, proximalReference, contrast, serverOptimiser: _, ...policy }: FedAvgSpec,
  { round, model, memory }: WorkflowState,
  parts: WorkflowParts,
  { sites, aggregator }: { readonly sites: readonly string[]; readonly aggregator: Aggregator },
) {
  const reference = proximalReference === 'epoch' && { proximalReference };
  const settings = proximalMu !== undefined && { settings: { proximalMu, ...reference } };
  const folding = foldingInto(aggregator, parts, sites);
  if (!contrast) {
    const task: Task = { kind: 'train', round, model, ...settings };
    return { participations: await askSites(task, parts, { ...policy, sites, ...folding }), memory };
  }
  const previous = keepPrevious(folding, { model, memory }, parts);
  const sent = new Map([...model, ...allPrevious(memory)]);
  const task: Task = { kind: 'train', round, model: sent, ...settings };
  const participations = await askSites(task, parts, { ...policy, sites, ...previous.folding });
  return { participations, memory: new Map([...memory, ...previous.kept()]) };
}
