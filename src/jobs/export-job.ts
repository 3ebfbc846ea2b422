/**
 * A job as a folder that can be carried elsewhere: the job, the files of its own that it names, and the schema by which
 * editors complete and check it.
 *
 * @module
 */

import { constants } from 'node:fs';
import { copyFile, readdir } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize, resolve, sep } from 'node:path';
import { ConfigError } from '../errors';
import { workspaceError, writeFileAtomic } from '../util/atomic-file';
import { makeFolder } from '../util/make-folder';
import { jobSchemaText } from './job-schema';
import type { JobSpec } from './job-spec';
import { jobToYaml } from './job-yaml';

export interface ExportedJob {
  readonly job: string;
  readonly schema: string;
  /** Copies of the files that the job names by relative paths. What these files import themselves is not copied. */
  readonly own: readonly string[];
}

export interface ExportJobOptions {
  /** What the job's relative paths start from. @default the working directory */
  readonly from?: string;
}

/**
 * Writes `job.yaml`, `job.schema.json` and the job's own files into a new or empty folder, each as a whole and the job last.
 *
 * @throws ConfigError when the folder holds anything, since nothing is overwritten, and when a file of the job is missing or
 * lies outside of the job's folder.
 */
export async function exportJob(
  job: JobSpec,
  folder: string,
  { from = process.cwd() }: ExportJobOptions = {},
): Promise<ExportedJob> {
  await refuseUsed(folder);
  const relative = ownFiles(job).filter((file) => !isAbsolute(file));
  for (const file of relative) refuseOutside(file);
  const own: string[] = [];
  for (const file of relative) own.push(await copy(resolve(from, file), join(folder, file)));
  const files = { job: join(folder, 'job.yaml'), schema: join(folder, 'job.schema.json') };
  await writeFileAtomic(files.schema, jobSchemaText());
  await writeFileAtomic(files.job, jobToYaml(job, { schema: './job.schema.json' }));
  return { ...files, own };
}

/** The files that a job names, data apart: its code, and the tensors that it starts from or scores. */
function ownFiles(job: JobSpec): readonly string[] {
  return [...codeFiles(job), ...tensorFiles(job)];
}

/** Files of a job that sites run: its own parts and its training script. */
export function codeFiles({
  modules,
  trainer: { kind, script },
}: {
  readonly modules: readonly string[];
  readonly trainer: { readonly kind: string; readonly script?: unknown };
}): readonly string[] {
  return [...modules, ...(kind === 'script' && typeof script === 'string' ? [script] : [])];
}

/** Files of a job that only the server reads: the tensors that the model starts from, and further models to score. */
export function tensorFiles({ model, initialCheckpoint, workflow }: JobSpec): readonly string[] {
  return [
    ...(model.kind === 'checkpoint' ? [model.file] : []),
    ...(initialCheckpoint === undefined ? [] : [initialCheckpoint]),
    ...(workflow.kind === 'cross-site-eval' ? Object.values(workflow.checkpoints) : []),
  ];
}

/** The job with other names for the files of {@link tensorFiles}. */
export function withTensorFiles(job: JobSpec, renamed: (file: string) => string): JobSpec {
  const { model, initialCheckpoint, workflow } = job;
  return {
    ...job,
    model: model.kind === 'checkpoint' ? { ...model, file: renamed(model.file) } : model,
    ...(initialCheckpoint !== undefined && { initialCheckpoint: renamed(initialCheckpoint) }),
    workflow:
      workflow.kind === 'cross-site-eval'
        ? { ...workflow, checkpoints: mapValues(workflow.checkpoints, renamed) }
        : workflow,
  };
}

function mapValues(
  record: Readonly<Record<string, string>>,
  change: (value: string) => string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

async function refuseUsed(folder: string): Promise<void> {
  const entries = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return [];
    if (cause.code === 'ENOTDIR') throw refusal(folder, 'is no folder');
    throw workspaceError('list', folder, cause);
  });
  if (entries.length > 0) throw refusal(folder, `is not empty: it holds '${entries[0]}'`);
}

function refusal(folder: string, why: string): ConfigError {
  return new ConfigError(`The job cannot be exported: '${folder}' ${why}.`, {
    hint: 'Name a folder that is new or empty; nothing is overwritten.',
  });
}

function refuseOutside(file: string): void {
  if (normalize(file).split(sep)[0] !== '..') return;
  throw new ConfigError(`The job cannot be exported: its file '${file}' lies outside of the job's folder.`, {
    hint: 'Move the file beside the job, or name it by its absolute path; then it is not copied.',
  });
}

async function copy(source: string, target: string): Promise<string> {
  await makeFolder(dirname(target));
  await copyFile(source, target, constants.COPYFILE_EXCL).catch((cause: NodeJS.ErrnoException) => {
    throw new ConfigError(`The job cannot be exported: its file '${source}' cannot be copied (${cause.code}).`, {
      cause,
    });
  });
  return target;
}
