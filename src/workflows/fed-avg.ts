/**
 * Federated averaging (McMahan et al. 2017, https://arxiv.org/abs/1602.05629): every round the sites validate the global
 * model, train it on their own cases, and the server adds the weighted mean of what they answer.
 *
 * @module
 */
import type { Update } from '../protocol/messages';
import { askSites } from './ask-sites';
import { meanMetrics, type Participation, type RoundReport, type WorkflowParts, type WorkflowState } from './workflow';

export interface FedAvgSpec {
  readonly rounds: number;
  /** Updates that a round needs. */
  readonly minSites: number;
  readonly roundDeadlineSeconds: number;
}

/** Yields a report a round, and one more for the finished model. */
export async function* fedAvg(
  spec: FedAvgSpec,
  start: WorkflowState,
  parts: WorkflowParts,
): AsyncGenerator<RoundReport> {
  let state = start;
  for (; state.round < spec.rounds; ) {
    const { round, model, memory } = state;
    const aggregator = parts.aggregator(model, round);
    const task = { kind: 'train', round, model };
    const add = (update: Update) => aggregator.add(update);
    const skip = (site: string) => aggregator.skip?.(site);
    const sites = await askSites(task, parts, { ...spec, add, skip });
    state = { round: round + 1, model: aggregator.finish(), memory };
    yield report({ round, model }, false, sites, state);
  }
  const { round, model } = state;
  const sites = await askSites({ kind: 'validate', round, model }, parts, spec);
  yield report(state, true, sites, state);
}

function report(
  { round, model }: Pick<WorkflowState, 'round' | 'model'>,
  final: boolean,
  sites: readonly Participation[],
  state: WorkflowState,
): RoundReport {
  const metrics = meanMetrics(sites.flatMap(({ update }) => (update ? [update.metrics] : [])));
  return { evaluated: model, round, final, metrics, sites, state };
}
