/**
 * Runs a job from the command line: display, Ctrl-C, the result in words or as JSON.
 *
 * @module
 */

import { errorToData } from '../errors';
import type { Environment, Run, RunResult } from '../jobs/environment';
import type { JobSpec } from '../jobs/job-spec';
import { workflowTraits } from '../jobs/workflow-spec';
import { statisticsOf } from '../statistics/statistics-of';
import { counted } from '../util/counted';
import { crossSiteMatrix } from '../workflows/cross-site-matrix';
import { outColours } from './colours';
import { crossSiteTable } from './cross-site-table';
import { formatDuration } from './describe-round';
import { createDisplay, type Display } from './display';
import { printJson } from './print-json';
import { statisticsLines } from './statistics-lines';
import { cutOff, onSignals } from './told-to-stop';

export interface RunJobOptions {
  readonly job: JobSpec;
  /** Progress to standard error, one JSON object to standard output. */
  readonly json: boolean;
  readonly environment: Environment;
  /** The command that continues the run, for the message after Ctrl-C; absent where nothing does. */
  readonly resumeCommand?: string;
  /** What relative paths of the job start from. @default the working directory */
  readonly folder?: string;
}

/** @throws what ended the run; finished rounds are on disk. */
export async function runJob({ job, json, resumeCommand, folder, environment }: RunJobOptions): Promise<void> {
  const run = environment.run(job, folder === undefined ? {} : { folder });
  const display = createDisplay(job, json ? process.stderr : process.stdout);
  const release = stopOnSignal(run, display, resumeCommand);
  try {
    for await (const event of run.events()) display.show(event);
    const result = await run.result();
    if (json) printJson(asJson(run, result));
    else printResult(result, job);
  } catch (error) {
    if (json) printJson(failureAsJson(run, error));
    throw error;
  } finally {
    display.close();
    release();
  }
}

/** The first signal ends the run at the next step; a second one ends the process at once, like a power cut. */
function stopOnSignal(run: Run, display: Display, resumeCommand: string | undefined): () => void {
  const stop = onSignals((signal) => {
    display.close(); // The bars would be drawn over what is said here.
    const next = resumeCommand === undefined ? '' : `; finished rounds are kept. Continue with:\n  ${resumeCommand}`;
    process.stderr.write(`\n${signal}: stopping${next}\n`);
    run.abort(`The run was stopped by ${signal}.`);
  }, cutOff);
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return () => {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  };
}

function asJson(run: Run, result: RunResult) {
  const { outcome, rounds, best, final, files, results, finalModelSha256, seconds } = result;
  return { run: run.id, outcome, rounds, best, final, files, results, final_model_sha256: finalModelSha256, seconds };
}

function failureAsJson(run: Run, error: unknown) {
  const { tag, message, hint } = errorToData(error);
  return { run: run.id, outcome: run.status(), error: { tag, message, hint: hint ?? null } };
}

function printResult(result: RunResult, { workflow }: JobSpec): void {
  const { best, final, files, folder, seconds } = result;
  const statistics = statisticsOf(result.results);
  const { keyMetric } = workflowTraits(workflow);
  const name = keyMetric === 'val_dice' ? 'Dice' : keyMetric;
  const value = (metrics: RunResult['best']['metrics']) => metrics[keyMetric]?.toFixed(4) ?? '–';
  const scores = `: final ${name} ${value(final.metrics)}, best ${value(best.metrics)} (after ${counted(best.round, 'round')})`;
  const matrix = crossSiteMatrix(result.results);
  const lines = [
    '',
    ...(statistics ? [...statisticsLines(statistics), ''] : []),
    ...(matrix ? [...crossSiteTable(matrix), ''] : []),
    `${outColours.green('finished')} in ${formatDuration(seconds)}${final.metrics[keyMetric] === undefined ? '' : scores}`,
    `  report      ${files.report}`,
    statistics ? `  statistics  ${files.statistics}` : `  best model  ${files.best_pt}`,
    `  folder      ${folder}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
