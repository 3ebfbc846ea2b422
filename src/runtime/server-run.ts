/**
 * The server's side of a run: drives the workflow, and after each round writes the checkpoint, then everything that is
 * derived from it.
 *
 * @module
 */
import { isConsiliumError, WorkflowError } from '../errors';
import type { RunEvent } from '../jobs/environment';
import type { JobSpec } from '../jobs/job-spec';
import { transferOf } from '../jobs/trainer-spec';
import { aggregatorOf, type WorkflowTraits, workflowTraits } from '../jobs/workflow-spec';
import { mostSteps } from '../protocol/payload';
import type { Sites } from '../protocol/sites';
import type { NamedTensors } from '../tensor/tensor';
import { type Clock, nodeClock } from '../util/clock';
import { didYouMean } from '../util/nearest';
import { isBetter, type RoundReport } from '../workflows/workflow';
import type { Checkpoint, CheckpointStore } from './checkpoint';
import { parameterNames, personalOf } from './parameter-names';
import { createAggregator, createWorkflow } from './parts';
import { lineOf, type RoundLine } from './round-line';
import { RunHistory } from './run-history';

export interface ServerRunOptions {
  readonly job: JobSpec;
  readonly jobHash: string;
  readonly start: Checkpoint;
  readonly sites: Sites;
  readonly store: CheckpointStore;
  /** Reads a model file that the job names. */
  readonly loadModel: (file: string) => Promise<NamedTensors>;
  /** Told of each line once its checkpoint is on disk. */
  readonly onLine: (line: RoundLine, checkpoint: Checkpoint) => Promise<void>;
  readonly emit: (event: RunEvent) => void;
  /** @default this machine's */
  readonly clock?: Clock;
  readonly signal: AbortSignal;
}

/** Runs the remaining rounds and the final evaluation, and returns the last checkpoint. */
export async function runServer(options: ServerRunOptions): Promise<Checkpoint> {
  const { job, store, emit, signal, clock = nodeClock } = options;
  const traits = workflowTraits(job.workflow);
  let checkpoint = options.start;
  if (checkpoint.history.last?.final) return checkpoint;

  const failed = new AbortController();
  const transfer = transferOf(job.trainer);
  const aggregator = aggregatorOf(job.workflow);
  const workflow = createWorkflow(job, checkpoint, {
    sites: options.sites,
    journal: store.journal,
    aggregator: (reference, round, more = {}) =>
      createAggregator(aggregator, {
        reference,
        round,
        siteOrder: job.sites,
        kind: transfer,
        maxSteps: mostSteps,
        ...more,
      }),
    parameters: parameterNames(job.model, checkpoint.model),
    personal: personalOf(job, checkpoint.model),
    best: async () => checkpoint.best?.model(),
    loadModel: options.loadModel,
    seed: job.seed,
    clock,
    signal: AbortSignal.any([signal, failed.signal]),
    missed: ({ round, kind }, { site, status, error, reason }) =>
      emit({ kind: 'site-failed', site, round, task: kind, status, error, reason }),
  });
  // While a checkpoint goes to disk, the next round has begun: one at a time, and its failure ends the round.
  let committing = Promise.resolve();
  let started = clock.monotonicMs();
  emit({ kind: 'round-started', round: checkpoint.round, rounds: traits.rounds });

  /** A round. Its report is not kept while the next one runs: it holds a model. */
  async function goOn(): Promise<boolean> {
    const { value: report, done } = await workflow.next();
    if (done) return false;
    const seconds = (clock.monotonicMs() - started) / 1000;
    const line = lineOf(report, seconds, new Date(clock.wallMs()), checkpoint.history);
    if (checkpoint.history.length === 0) warnOfKeyMetric(report, traits, emit);
    await committing;
    checkpoint = {
      jobHash: options.jobHash,
      round: report.state.round,
      model: report.state.model,
      memory: report.state.memory,
      best: better(checkpoint, report, traits),
      history: checkpoint.history.with(line),
    };
    committing = commit(options, line, checkpoint, report.notes ?? []).then((saved) => {
      checkpoint = saved;
    });
    committing.catch((error) => failed.abort(error));
    signal.throwIfAborted();
    started = clock.monotonicMs();
    return true;
  }

  try {
    while (await goOn());
  } catch (error) {
    throw isForPeople(error) ? error : workflowFailed(job, checkpoint.round, error);
  } finally {
    await workflow.return(undefined); // It may have something to close.
    // Also after an error: finished rounds are kept, and a full disk is the better reason than the abort it caused.
    await committing;
  }
  return checkpoint;
}

/** What our own parts throw says what is wrong; and what the operating system refuses, it says itself. */
function isForPeople(error: unknown): boolean {
  return isConsiliumError(error) || (error instanceof Error && 'syscall' in error);
}

function workflowFailed({ workflow }: JobSpec, round: number, cause: unknown): WorkflowError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new WorkflowError(`The workflow '${workflow.kind}' or its aggregator failed in round ${round}: ${why}`, {
    cause,
    hint: 'Mend it; finished rounds are kept.',
  });
}

/** Without the key metric no model is better than another, and the last one would pass for the best. */
function warnOfKeyMetric(
  { metrics }: RoundReport,
  { keyMetric }: WorkflowTraits,
  emit: ServerRunOptions['emit'],
): void {
  const reported = Object.keys(metrics);
  if (reported.length === 0 || reported.includes(keyMetric)) return;
  const message = `No site reports the key metric '${keyMetric}', which chooses the best model.${didYouMean(keyMetric, reported)} Reported are ${reported.join(', ')}; set workflow.keyMetric.`;
  emit({ kind: 'log', level: 'warn', message });
}

/** Puts a finished round on disk, then tells of it. */
async function commit(
  { job, store, onLine, emit }: ServerRunOptions,
  line: RoundLine,
  checkpoint: Checkpoint,
  notes: readonly string[],
): Promise<Checkpoint> {
  const saved = await store.save(checkpoint);
  await onLine(line, saved);
  for (const event of finishedEvents(line)) emit(event);
  for (const message of notes) emit({ kind: 'log', level: 'info', message });
  const { rounds } = workflowTraits(job.workflow);
  if (line.final !== true) emit({ kind: 'round-started', round: checkpoint.round, rounds });
  return saved;
}

/** What is told of a round once it is on disk. */
export function finishedEvents(line: RoundLine): RunEvent[] {
  const { round, sites } = line;
  const ofSites = sites.flatMap(({ name: site, metrics, privacy }): RunEvent[] => [
    ...(metrics ? [{ kind: 'metrics', round, site, metrics } as const] : []),
    ...(privacy ? [{ kind: 'privacy', round, site, costs: privacy } as const] : []),
  ]);
  return [...ofSites, roundFinished(line)];
}

/** The model with the best key metric; of equals, the earlier. Every validated model is a candidate, the last one too. */
function better({ best, model: before }: Checkpoint, report: RoundReport, traits: WorkflowTraits): Checkpoint['best'] {
  const { round, evaluated, metrics, state } = report;
  const value = metrics[traits.keyMetric];
  if (typeof value !== 'number') return best;
  const improves = !best || isBetter(value, best.value, traits.keyMetricMode);
  const model = evaluated === 'before' ? before : state.model;
  return improves ? { round, value, model: async () => model } : best;
}

function roundFinished(line: RoundLine): RunEvent {
  return {
    kind: 'round-finished',
    round: line.round,
    final: line.final === true,
    metrics: line.metrics,
    sites: line.sites.map(({ name, status, reason, seconds }) => ({
      name,
      status,
      ...(reason !== undefined && { reason }),
      ...(seconds && { seconds }),
    })),
    epsilon: line.privacy?.epsilon,
    differentiallyPrivate: line.privacy?.differentiallyPrivate,
    seconds: line.seconds,
  };
}

/** A run that has not begun. */
export function freshStart(jobHash: string, model: NamedTensors): Checkpoint {
  return { jobHash, round: 0, model, memory: new Map(), best: undefined, history: RunHistory.empty };
}
