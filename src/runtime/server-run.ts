/**
 * The server's side of a run: drives the workflow, and after each round writes the checkpoint, then everything that is
 * derived from it.
 *
 * @module
 */
import { weightedMean } from '../aggregators/weighted-mean';
import type { RunEvent } from '../jobs/environment';
import type { JobSpec } from '../jobs/job-spec';
import type { Sites } from '../protocol/sites';
import type { NamedTensors } from '../tensor/tensor';
import type { RoundReport } from '../workflows/fed-avg';
import type { Checkpoint, CheckpointStore } from './checkpoint';
import { workflows } from './parts';
import { lineOf, type RoundLine } from './round-line';

export interface ServerRunOptions {
  readonly job: JobSpec;
  readonly jobHash: string;
  readonly start: Checkpoint;
  readonly sites: Sites;
  readonly store: CheckpointStore;
  /** Told of each line once its checkpoint is on disk. */
  readonly onLine: (line: RoundLine, checkpoint: Checkpoint) => Promise<void>;
  readonly emit: (event: RunEvent) => void;
  readonly signal: AbortSignal;
}

/** Runs the remaining rounds and the final evaluation, and returns the last checkpoint. */
export async function runServer(options: ServerRunOptions): Promise<Checkpoint> {
  const { job, store, emit, signal } = options;
  const { rounds, keyMetric } = job.workflow;
  let checkpoint = options.start;
  if (checkpoint.history.at(-1)?.final) return checkpoint;

  const failed = new AbortController();
  const workflow = workflows[job.workflow.kind](job.workflow, checkpoint, {
    sites: options.sites,
    journal: store.journal,
    aggregator: (reference, round) =>
      weightedMean({ reference, round, siteOrder: job.sites, kind: job.trainer.transfer, maxSteps }),
    signal: AbortSignal.any([signal, failed.signal]),
  });
  // While a checkpoint goes to disk, the next round has begun: one at a time, and its failure ends the round.
  let committing = Promise.resolve();
  let started = performance.now();
  emit({ kind: 'round-started', round: checkpoint.round, rounds });
  try {
    for await (const report of workflow) {
      const seconds = (performance.now() - started) / 1000;
      const line = lineOf(report, seconds, new Date(), checkpoint.history);
      checkpoint = {
        jobHash: options.jobHash,
        round: report.state.round,
        model: report.state.model,
        best: better(checkpoint.best, report, keyMetric),
        history: [...checkpoint.history, line],
      };
      await committing;
      committing = commit(options, line, checkpoint);
      committing.catch((error) => failed.abort(error));
      signal.throwIfAborted();
      started = performance.now();
    }
  } finally {
    // Also after an error: finished rounds are kept, and a full disk is the better reason than the abort it caused.
    await committing;
  }
  return checkpoint;
}

/** Puts a finished round on disk, then tells of it. */
async function commit({ job, store, onLine, emit }: ServerRunOptions, line: RoundLine, checkpoint: Checkpoint) {
  await store.save(checkpoint);
  await onLine(line, checkpoint);
  emit(roundFinished(line));
  const { rounds } = job.workflow;
  if (line.final !== true) emit({ kind: 'round-started', round: checkpoint.round, rounds });
}

/** More steps than any site can take in a round: the bound on the weight of an update. */
const maxSteps = 1e7;

/** The model with the largest key metric; of equals, the earlier. Every validated model is a candidate, the last one too. */
function better(best: Checkpoint['best'], report: RoundReport, keyMetric: string): Checkpoint['best'] {
  const value = report.metrics[keyMetric];
  if (typeof value !== 'number' || (best && best.value >= value)) return best;
  return { round: report.round, value, model: report.evaluated };
}

function roundFinished(line: RoundLine): RunEvent {
  return {
    kind: 'round-finished',
    round: line.round,
    final: line.final === true,
    metrics: line.metrics,
    sites: line.sites.map(({ name, status, seconds }) => ({ name, status, ...(seconds && { seconds }) })),
    epsilon: line.privacy?.epsilon,
    differentiallyPrivate: line.privacy?.differentiallyPrivate,
    seconds: line.seconds,
  };
}

/** A run that has not begun. */
export function freshStart(jobHash: string, model: NamedTensors): Checkpoint {
  return { jobHash, round: 0, model, best: undefined, history: [] };
}
