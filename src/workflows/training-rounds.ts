/**
 * What the workflows share that train one model round after round: the sites of a round, its report, the end.
 *
 * @module
 */
import type { Aggregator } from '../aggregators/aggregator';
import type { NamedTensors } from '../tensor/tensor';
import { type AskOptions, askSites, type RoundPolicy } from './ask-sites';
import { type EarlyStopSpec, noteScore, stopReason } from './early-stop';
import { sampleSites } from './sampling';
import { meanMetrics, type Participation, type RoundReport, type WorkflowParts, type WorkflowState } from './workflow';

export interface RoundsSpec extends EarlyStopSpec, RoundPolicy {
  readonly rounds: number;
  /** Sites of a round. @default all */
  readonly sitesPerRound?: number | undefined;
}

/** What an algorithm makes of one round. */
export interface RoundOutcome {
  readonly model: NamedTensors;
  readonly memory: NamedTensors;
  readonly sites: readonly Participation[];
}

/** One round of an algorithm, with the sites that were drawn for it. */
export type Round = (state: WorkflowState, sites: readonly string[]) => Promise<RoundOutcome>;

/** Yields a report a round, up to the last one or an early stop, and returns where the run stands then. */
export async function* trainingRounds(
  spec: RoundsSpec,
  start: WorkflowState,
  parts: WorkflowParts,
  run: Round,
): AsyncGenerator<RoundReport, WorkflowState> {
  let state = start;
  while (state.round < spec.rounds && stopReason(spec, state.memory, state.round) === undefined) {
    const { round, model: evaluated } = state;
    const { names } = parts.sites;
    const asked = sampleSites(names, spec.sitesPerRound ?? names.length, parts.seed, round);
    const { model, memory, sites } = await run(state, asked);
    const metrics = metricsOf(sites);
    state = { round: round + 1, model, memory: noteScore(spec, memory, round, metrics) };
    const reason = stopReason(spec, state.memory, state.round);
    const notes = reason !== undefined && state.round < spec.rounds ? [`Stopped early: ${reason}.`] : [];
    yield { evaluated, round, final: false, metrics, sites, state, notes };
  }
  return state;
}

/** The finished model, validated at all sites. */
export async function finalEvaluation(
  spec: AskOptions,
  state: WorkflowState,
  parts: WorkflowParts,
): Promise<RoundReport> {
  const { round, model } = state;
  const sites = await askSites({ kind: 'validate', round, model }, parts, spec);
  return { evaluated: model, round, final: true, metrics: metricsOf(sites), sites, state };
}

/** Gives an aggregator the updates of the asked sites as they come; those that it need not wait for are skipped. */
export function foldingInto(
  aggregator: Aggregator,
  { sites }: Pick<WorkflowParts, 'sites'>,
  asked: readonly string[],
): Pick<AskOptions, 'add' | 'skip'> {
  const present = new Set(asked);
  for (const name of sites.names) if (!present.has(name)) void aggregator.skip?.(name); // Nothing was added yet.
  return {
    add: (update, release, reload) => aggregator.add(update, release, reload),
    skip: (site) => aggregator.skip?.(site),
  };
}

/** The mean over the sites that answered. */
export function metricsOf(sites: readonly Participation[]) {
  return meanMetrics(sites.flatMap(({ update }) => (update ? [update.metrics] : [])));
}
