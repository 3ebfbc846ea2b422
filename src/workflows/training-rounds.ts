/**
 * What the workflows share that train one model round after round: the sites of a round, its report, the end.
 *
 * @module
 */
import { type Aggregator, aggregatorMemory } from '../aggregators/aggregator';
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
  /** What whoever watches the run should know of the round, a line each. @default nothing */
  readonly notes?: readonly string[];
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
    const { round } = state;
    const { names } = parts.sites;
    const asked = sampleSites(names, spec.sitesPerRound ?? names.length, parts.seed, round);
    const { model, memory, sites, notes = [] } = await run(state, asked);
    const metrics = metricsOf(sites);
    state = { round: round + 1, model, memory: noteScore(spec, memory, round, metrics) };
    const reason = stopReason(spec, state.memory, state.round);
    const stopped = reason !== undefined && state.round < spec.rounds ? [`Stopped early: ${reason}.`] : [];
    yield { evaluated: 'before', round, final: false, metrics, sites, state, notes: [...notes, ...stopped] };
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
  return { evaluated: 'after', round, final: true, metrics: metricsOf(sites), sites, state };
}

/** Gives an aggregator the updates of the asked sites as they come; those that it need not wait for are skipped. */
export function foldingInto(
  aggregator: Aggregator,
  { sites }: Pick<WorkflowParts, 'sites'>,
  asked: readonly string[],
): Required<Pick<AskOptions, 'add'>> & Pick<AskOptions, 'skip'> {
  const present = new Set(asked);
  for (const name of sites.names) if (!present.has(name)) void aggregator.skip?.(name); // Nothing was added yet.
  return {
    add: (update, release, reload) => aggregator.add(update, release, reload),
    skip: (site) => aggregator.skip?.(site),
  };
}

/** What an aggregator has made of a round. */
export interface Aggregate {
  readonly tensors: NamedTensors;
  /** The server's memory with what the aggregator keeps from now on in place of what it kept before. */
  readonly memory: NamedTensors;
  readonly notes: readonly string[];
}

/** Ends the aggregator's round. @param memory the server's, which the aggregator was made with */
export async function aggregateOf(aggregator: Aggregator, memory: NamedTensors): Promise<Aggregate> {
  const tensors = await aggregator.finish();
  const others = [...memory].filter(([name]) => !name.startsWith(aggregatorMemory));
  return {
    tensors,
    memory: new Map([...others, ...(aggregator.memory?.() ?? [])]),
    notes: aggregator.notes?.() ?? [],
  };
}

/** The mean over the sites that answered. */
export function metricsOf(sites: readonly Participation[]) {
  return meanMetrics(sites.flatMap(({ update }) => (update ? [update.metrics] : [])));
}
