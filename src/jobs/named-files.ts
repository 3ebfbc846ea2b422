/**
 * The files that a job names: whether they are there, before anything runs.
 *
 * @module
 */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { ConfigError } from '../errors';
import { codeProblem, type NamedFileProblem } from './own-code';
import type { Path } from './yaml-document';

const text = z.string().min(1).optional().catch(undefined);

/** Where a job names files, whatever else may be wrong with it. */
const naming = z.looseObject({
  trainer: z
    .looseObject({ kind: text, script: text, command: z.array(z.string()).optional().catch(undefined) })
    .catch({}),
  initialCheckpoint: text,
  model: z.looseObject({ kind: text, file: text }).catch({}),
  workflow: z
    .looseObject({ kind: text, checkpoints: z.record(z.string(), z.string()).optional().catch(undefined) })
    .catch({}),
});

export interface LookedFor {
  /** Whether checkpoints have to be there: no site reads them. @default true */
  readonly checkpoints?: boolean;
  /** Whether the program of a `command` trainer has to be there: it is the sites' that start it. @default true */
  readonly programs?: boolean;
}

/**
 * What is missing of the training code and the checkpoints that a job names.
 *
 * @param job plain data that need not be a valid job
 * @param folder what relative paths start from: the folder of the job file.
 */
export function fileProblems(
  job: unknown,
  folder: string,
  { checkpoints = true, programs = true }: LookedFor = {},
): readonly NamedFileProblem[] {
  const parsed = naming.safeParse(job);
  const isElsewhere = parsed.success && parsed.data.trainer.kind === 'command' && !programs;
  const code = parsed.success && !isElsewhere ? codeProblem(parsed.data, folder) : undefined;
  return [...(code ? [code] : []), ...(checkpoints ? checkpointProblems(job, folder) : [])];
}

/** What is missing of the checkpoints alone. */
export function checkpointProblems(job: unknown, folder: string): readonly NamedFileProblem[] {
  const parsed = naming.safeParse(job);
  return parsed.success ? checkpointsOf(parsed.data).flatMap((named) => checkpointProblem(named, folder)) : [];
}

/** @throws ConfigError for the first file that a job names and that is not there. */
export function checkFiles(job: unknown, folder: string): void {
  const [problem] = fileProblems(job, folder);
  if (problem) throw new ConfigError(`${problem.path.join('.')}: ${problem.message}.`, { hint: problem.hint });
}

interface NamedFile {
  readonly path: Path;
  readonly file: string;
}

function checkpointsOf({ initialCheckpoint, model, workflow }: z.output<typeof naming>): readonly NamedFile[] {
  const further = workflow.kind === 'cross-site-eval' ? Object.entries(workflow.checkpoints ?? {}) : [];
  return [
    ...(initialCheckpoint === undefined ? [] : [{ path: ['initialCheckpoint'], file: initialCheckpoint }]),
    ...(model.kind !== 'checkpoint' || model.file === undefined ? [] : [{ path: ['model', 'file'], file: model.file }]),
    ...further.map(([name, file]) => ({ path: ['workflow', 'checkpoints', name], file })),
  ];
}

function checkpointProblem({ path, file }: NamedFile, folder: string): readonly NamedFileProblem[] {
  if (statSync(resolve(folder, file), { throwIfNoEntry: false })?.isFile()) return [];
  return [
    {
      path,
      message: `there is no file '${file}'; it was looked for in '${folder}'`,
      hint: "Name a .safetensors or .pt file; a relative path starts from the job's folder.",
    },
  ];
}
