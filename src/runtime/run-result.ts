/**
 * The result of a finished run; also read back from the files that it has left: of a run elsewhere, once they are here.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { DataError } from '../errors';
import type { RunResult } from '../jobs/environment';
import type { JobSpec } from '../jobs/job-spec';
import { workflowTraits } from '../jobs/workflow-spec';
import { sha256Of } from '../util/sha256';
import { isBetter } from '../workflows/workflow';
import { readMeta, readRoundLines } from './read-run';
import type { RoundLine } from './round-line';
import { resultFiles, resultsOf, roundSummary } from './round-results';
import { type RunFolder, runFolder } from './run-folder';

export interface RunResultParts {
  readonly folder: RunFolder;
  readonly history: readonly RoundLine[];
  /** Aggregations behind the last model, and behind the best. */
  readonly rounds: number;
  readonly bestRound: number;
  /** Files of models, by name. */
  readonly models: Readonly<Record<string, string>>;
  readonly finalModelSha256: string;
  readonly seconds: number;
}

export function runResult(parts: RunResultParts): RunResult {
  const { folder, history, rounds, bestRound, models, finalModelSha256, seconds } = parts;
  // A workflow of the user's own need not validate the last model.
  const metricsOf = (round: number) => history.find((line) => line.round === round)?.metrics ?? {};
  return {
    outcome: 'finished',
    folder: folder.root,
    rounds,
    best: { round: bestRound, metrics: metricsOf(bestRound) },
    final: { round: rounds, metrics: metricsOf(rounds) },
    history: history.map(roundSummary),
    finalModelSha256,
    results: resultsOf(history),
    seconds,
    files: {
      ...models,
      report: folder.report,
      job: folder.jobFile,
      meta: folder.metaFile,
      round_metrics: join(folder.metrics, 'round_metrics.jsonl'),
      metrics_summary: join(folder.metrics, 'metrics_summary.json'),
      privacy_ledger: folder.ledger,
      tensorboard: folder.events,
      log: join(folder.server, 'log.txt'),
      ...resultFiles(folder.results, history),
    },
  };
}

/** Reads the result back from the folder of a finished run. @throws DataError when it has not finished, or its model is missing. */
export async function readResult(path: string, job: JobSpec): Promise<RunResult> {
  const root = resolve(path);
  const folder = runFolder(dirname(root), basename(root));
  const { outcome, started, ended } = await readMeta(folder);
  const models = modelFilesIn(folder);
  const final = models.final_safetensors;
  if (outcome !== 'finished' || ended === null || final === undefined) {
    throw new DataError(`The run in '${root}' has not finished.`, { file: root, hint: 'Download its files again.' });
  }
  const history = await readRoundLines(folder);
  const last = history.at(-1);
  const rounds = last === undefined ? 0 : last.final ? last.round : last.round + 1;
  return runResult({
    ...{ folder, history, rounds, models },
    bestRound: bestOf(history, workflowTraits(job.workflow)) ?? rounds,
    finalModelSha256: sha256Of(await readFile(final)),
    seconds: (Date.parse(ended) - Date.parse(started)) / 1000,
  });
}

/** Of equals, the earlier. */
function bestOf(
  history: readonly RoundLine[],
  { keyMetric, keyMetricMode }: ReturnType<typeof workflowTraits>,
): number | undefined {
  let best: { readonly round: number; readonly value: number } | undefined;
  for (const { round, metrics } of history) {
    const value = metrics[keyMetric];
    if (typeof value === 'number' && (!best || isBetter(value, best.value, keyMetricMode))) best = { round, value };
  }
  return best?.round;
}

function modelFilesIn({ models }: RunFolder): Readonly<Record<string, string>> {
  const names = { final: 'FL_global_model', best: 'best_FL_global_model' };
  const files = Object.entries(names).flatMap(([prefix, name]) =>
    ['safetensors', 'pt', 'onnx'].map((suffix) => [`${prefix}_${suffix}`, join(models, `${name}.${suffix}`)] as const),
  );
  return Object.fromEntries(files.filter(([, file]) => existsSync(file)));
}
