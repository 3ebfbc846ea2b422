/**
 * Federated averaging (McMahan et al. 2017, https://arxiv.org/abs/1602.05629): every round the sites validate the global
 * model, train it on their own cases, and the server adds the weighted mean of what they answer.
 *
 * @module
 */
import type { Aggregator } from '../aggregators/aggregator';
import { isConsiliumError, QuorumError } from '../errors';
import type { SiteAnswer, Task, Update } from '../protocol/messages';
import type { Metrics } from '../protocol/payload';
import type { Sites } from '../protocol/sites';
import type { NamedTensors } from '../tensor/tensor';

export interface FedAvgSpec {
  readonly rounds: number;
  /** Updates that a round needs. */
  readonly minSites: number;
  readonly roundDeadlineSeconds: number;
}

/** Where a run stands: enough to go on from. */
export interface FedAvgState {
  /** Finished rounds. */
  readonly round: number;
  readonly model: NamedTensors;
}

/** Updates of the round in progress that were accepted before an interruption; and where new ones are kept. */
export interface RoundJournal {
  /** Only those that were computed on this very model: a repeated round may have led to another one. */
  accepted(round: number, model: NamedTensors): Promise<readonly Update[]>;
  /** Begins to write it; the checkpoint of the round is not complete before, and fails where this failed. */
  record(update: Update, model: NamedTensors): void;
}

export interface FedAvgParts {
  readonly sites: Sites;
  readonly aggregator: (reference: NamedTensors, round: number) => Aggregator;
  readonly journal: RoundJournal;
  readonly signal: AbortSignal;
}

/** How one site took part in a round. */
export interface Participation {
  readonly site: string;
  readonly status: 'ok' | 'failed' | 'late' | 'rejected';
  readonly reason?: string;
  readonly update?: Omit<Update, 'payload'> & { readonly metrics: Metrics; readonly steps: number };
}

export interface RoundReport {
  /** The model that was validated: the one the round started from, or the finished one. */
  readonly evaluated: NamedTensors;
  readonly round: number;
  /** True for the evaluation of the finished model; then nothing was trained. */
  readonly final: boolean;
  /** Unweighted mean over the sites that answered, `null` where no site has the metric. */
  readonly metrics: Metrics;
  readonly sites: readonly Participation[];
  /** The state after the round. */
  readonly state: FedAvgState;
}

/** Yields a report a round, and one more for the finished model. */
export async function* fedAvg(spec: FedAvgSpec, start: FedAvgState, parts: FedAvgParts): AsyncGenerator<RoundReport> {
  let { round, model } = start;
  for (; round < spec.rounds; round++) {
    const aggregator = parts.aggregator(model, round);
    const sites = await collect({ kind: 'train', round, model }, spec, parts, (update) => aggregator.add(update));
    const next = aggregator.finish();
    yield report(model, round, false, sites, { round: round + 1, model: next });
    model = next;
  }
  const sites = await collect({ kind: 'validate', round, model }, spec, parts, () => {});
  yield report(model, round, true, sites, { round, model });
}

/** Asks every site and adds what it answers; a bad update is refused as a whole and the others count on. */
async function collect(
  task: Task,
  spec: FedAvgSpec,
  { sites, journal, signal }: FedAvgParts,
  add: (update: Update) => void,
): Promise<Participation[]> {
  const done = new Map<string, Participation>();
  for (const update of await journal.accepted(task.round, task.model)) {
    if (update.task !== task.kind) continue;
    add(update);
    done.set(update.site, participated(update));
  }
  const waiting = sites.names.filter((name) => !done.has(name));
  const options = { deadlineSeconds: spec.roundDeadlineSeconds, signal };
  for await (const answer of sites.broadcast(task, waiting, options)) {
    done.set(answer.site, accept(answer));
  }
  const participations = sites.names.map((name) => done.get(name)!);
  const accepted = participations.filter(({ status }) => status === 'ok').length;
  if (accepted < spec.minSites) throw missedQuorum(task, spec, participations, accepted);
  return participations;

  function accept(answer: SiteAnswer): Participation {
    const { site } = answer;
    if (answer.status === 'late') {
      return { site, status: 'late', reason: `no answer within ${spec.roundDeadlineSeconds} s` };
    }
    if (answer.status === 'failed') return { site, status: 'failed', reason: answer.error.message };
    try {
      add(answer.update);
    } catch (error) {
      if (!isConsiliumError(error, 'UpdateRejectedError')) throw error;
      return { site, status: 'rejected', reason: error.message };
    }
    journal.record(answer.update, task.model);
    return participated(answer.update);
  }
}

function participated({ payload, ...update }: Update): Participation {
  return { site: update.site, status: 'ok', update: { ...update, metrics: payload.metrics, steps: payload.steps } };
}

function missedQuorum(task: Task, spec: FedAvgSpec, sites: readonly Participation[], accepted: number): QuorumError {
  const missing = sites.filter(({ status }) => status !== 'ok');
  const reasons = missing.map(({ site, status, reason }) => `  ${site} ${status}: ${reason}`);
  return new QuorumError(
    `Round ${task.round} (${task.kind}) needs ${spec.minSites} sites, but only ${accepted} answered.\n${reasons.join('\n')}`,
    { hint: 'Finished rounds are kept: mend the cause and continue with --resume.' },
  );
}

function report(
  evaluated: NamedTensors,
  round: number,
  final: boolean,
  sites: readonly Participation[],
  state: FedAvgState,
): RoundReport {
  const metrics = meanMetrics(sites.flatMap(({ update }) => (update ? [update.metrics] : [])));
  return { evaluated, round, final, metrics, sites, state };
}

/** Metric by metric, the unweighted mean over those that have it. */
export function meanMetrics(all: readonly Metrics[]): Metrics {
  const names = [...new Set(all.flatMap((metrics) => Object.keys(metrics)))];
  return Object.fromEntries(
    names.map((name) => {
      const values = all.map((metrics) => metrics[name]).filter((value) => typeof value === 'number');
      return [name, values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length];
    }),
  );
}
