/**
 * What a run left, read back: finished, stopped, failed, or still going.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { ConfigError, DataError } from '../errors';
import { readJobFile } from '../jobs/job-file';
import { workflowTraits } from '../jobs/workflow-spec';
import { fromJson } from '../util/exact-json';
import { type RoundLine, roundLine } from './round-line';
import { type RunFolder, runFolder } from './run-folder';

const metaSchema = z.looseObject({
  run: z.string(),
  job_hash: z.string(),
  seed: z.number(),
  outcome: z.enum(['running', 'finished', 'failed', 'aborted']),
  sites: z.array(z.string()),
  finished_rounds: z.number(),
  started: z.string(),
  ended: z.string().nullable(),
  error: z.string().optional(),
  job_folder: z.string(),
  synthetic_data: z.boolean(),
});

export interface FinishedRounds {
  readonly run: string;
  readonly jobHash: string;
  readonly seed: number;
  /** `running` also after the process was killed. */
  readonly outcome: 'running' | 'finished' | 'failed' | 'aborted';
  readonly error: string | undefined;
  readonly sites: readonly string[];
  readonly synthetic: boolean;
  readonly started: string;
  readonly ended: string | null;
  readonly keyMetric: string;
  readonly keyMetricMode: 'max' | 'min';
  readonly lines: readonly RoundLine[];
  /** Absolute path; absent while the run has not ended. */
  readonly report: string | undefined;
}

/** Reads the folder of a run. @throws ConfigError when it holds none, DataError for a damaged file. */
export async function readRun(path: string): Promise<FinishedRounds> {
  const root = resolve(path);
  const folder = runFolder(dirname(root), root.slice(dirname(root).length + 1));
  if (!existsSync(folder.metaFile)) {
    throw new ConfigError(
      `'${path}' is not the folder of a run: it has no ${join('server', 'simulate_job', 'meta.json')}.`,
      {
        hint: 'Give <workspace>/<job name>, such as consilium-workspace/brats18_4.',
      },
    );
  }
  const meta = await readMeta(folder);
  const job = await readJobFile(folder.jobFile, { folder: meta.job_folder, needsFiles: false });
  const { keyMetric, keyMetricMode } = workflowTraits(job.workflow);
  return {
    run: meta.run,
    jobHash: meta.job_hash,
    seed: meta.seed,
    outcome: meta.outcome,
    error: meta.error,
    sites: meta.sites,
    synthetic: meta.synthetic_data,
    started: meta.started,
    ended: meta.ended,
    keyMetric,
    keyMetricMode,
    lines: await readRoundLines(folder),
    report: existsSync(folder.report) ? folder.report : undefined,
  };
}

/** What is said of a run as a whole. @throws DataError for a damaged file. */
export async function readMeta({ metaFile }: Pick<RunFolder, 'metaFile'>): Promise<z.output<typeof metaSchema>> {
  return parse(metaFile, metaSchema, await readFile(metaFile, 'utf8'));
}

/** The finished rounds of a run. @throws DataError for a damaged file. */
export async function readRoundLines(folder: Pick<RunFolder, 'metrics'>): Promise<RoundLine[]> {
  const file = join(folder.metrics, 'round_metrics.jsonl');
  const text = existsSync(file) ? await readFile(file, 'utf8') : '';
  // A last line without its end is one that was being written.
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => parse(file, roundLine, line));
}

function parse<S extends z.ZodType>(file: string, schema: S, text: string): z.output<S> {
  try {
    return schema.parse(fromJson(text));
  } catch (cause) {
    throw new DataError(`'${file}' cannot be read: it is damaged, or of another version.`, { file, cause });
  }
}
