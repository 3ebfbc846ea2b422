/**
 * The result of a finished run, read back from its folder: that of a run elsewhere, once its files are here.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { DataError } from '../errors';
import type { ModelScore, RunResult } from '../jobs/environment';
import type { JobSpec } from '../jobs/job-spec';
import { workflowTraits } from '../jobs/workflow-spec';
import { sha256Of } from '../util/sha256';
import { isBetter } from '../workflows/workflow';
import { readRun } from './read-run';
import type { RoundLine } from './round-line';
import { resultFiles, resultsOf, roundSummary } from './round-results';
import { type RunFolder, runFolder } from './run-folder';

/** @throws DataError when the run in the folder has not finished, or its model is missing. */
export async function readResult(path: string, job: JobSpec): Promise<RunResult> {
  const root = resolve(path);
  const folder = runFolder(dirname(root), basename(root));
  const { outcome, lines, started, ended } = await readRun(root);
  const model = join(folder.models, 'FL_global_model.safetensors');
  if (outcome !== 'finished' || ended === null || !existsSync(model)) {
    throw new DataError(`The run in '${root}' has not finished.`, { file: root, hint: 'Download its files again.' });
  }
  const last = lines.at(-1)!;
  return {
    outcome,
    folder: root,
    rounds: last.round,
    best: bestOf(lines, job),
    final: { round: last.round, metrics: last.metrics },
    history: lines.map(roundSummary),
    finalModelSha256: sha256Of(await readFile(model)),
    results: resultsOf(lines),
    seconds: (Date.parse(ended) - Date.parse(started)) / 1000,
    files: filesOf(folder, lines),
  };
}

/** The first of the best: as the server chooses it. */
function bestOf(lines: readonly RoundLine[], { workflow }: JobSpec): ModelScore {
  const { keyMetric, keyMetricMode } = workflowTraits(workflow);
  let best: RoundLine | undefined;
  for (const line of lines) {
    const value = line.metrics[keyMetric];
    const before = best?.metrics[keyMetric];
    if (typeof value !== 'number') continue;
    if (typeof before !== 'number' || isBetter(value, before, keyMetricMode)) best = line;
  }
  const { round, metrics } = best ?? lines.at(-1)!;
  return { round, metrics };
}

function filesOf(folder: RunFolder, lines: readonly RoundLine[]): Record<string, string> {
  const models = Object.fromEntries(
    (['final', 'best'] as const).flatMap((which) =>
      ['safetensors', 'pt', 'onnx'].map((suffix) => [
        `${which}_${suffix}`,
        join(folder.models, `${which === 'best' ? 'best_' : ''}FL_global_model.${suffix}`),
      ]),
    ),
  );
  const all = {
    ...models,
    report: folder.report,
    job: folder.jobFile,
    meta: folder.metaFile,
    round_metrics: join(folder.metrics, 'round_metrics.jsonl'),
    metrics_summary: join(folder.metrics, 'metrics_summary.json'),
    privacy_ledger: folder.ledger,
    tensorboard: folder.events,
    log: join(folder.server, 'log.txt'),
    ...resultFiles(folder.results, lines),
  };
  return Object.fromEntries(Object.entries(all).filter(([, file]) => existsSync(file)));
}
