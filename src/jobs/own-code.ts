/**
 * Training code that a job names as a file or a program: whether it is there, before anything runs.
 *
 * @module
 */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import type { Path } from './yaml-document';

/** A job, as far as it says what trains. */
interface JobWithTrainer {
  readonly trainer: {
    readonly kind?: string | undefined;
    readonly script?: unknown;
    readonly command?: unknown;
  };
}

/** What is wrong with a field that names a file, and what to do. */
export interface NamedFileProblem {
  readonly path: Path;
  readonly message: string;
  readonly hint: string;
}

/**
 * What is missing of the training code of a job.
 *
 * @param folder what relative paths start from: the folder of the job file.
 */
export function codeProblem({ trainer }: JobWithTrainer, folder: string): NamedFileProblem | undefined {
  const { kind, script, command } = trainer;
  if (kind === 'script') return typeof script === 'string' ? scriptProblem(script, folder) : undefined;
  const program: unknown = Array.isArray(command) ? command[0] : undefined;
  return kind === 'command' && typeof program === 'string' ? programProblem(program, folder) : undefined;
}

function scriptProblem(script: string, folder: string): NamedFileProblem | undefined {
  if (isFile(resolve(folder, script))) return undefined;
  return {
    path: ['trainer', 'script'],
    message: `the script '${script}' does not exist; it was looked for in '${folder}'`,
    hint: "Paths start from the job's folder: that of the job file, or the recipe's option 'folder'.",
  };
}

function programProblem(program: string, folder: string): NamedFileProblem | undefined {
  if (findProgram(program, folder) !== undefined) return undefined;
  const isPath = /[\\/]/.test(program);
  return {
    path: ['trainer', 'command', 0],
    message: isPath
      ? `there is no program '${program}'; it was looked for in '${folder}'`
      : `there is no program '${program}' on the PATH`,
    hint: isPath ? 'Check the path, and that the file may be executed.' : 'Install it, or name it by its path.',
  };
}

/**
 * The file of a program: a name is looked for on the PATH, a path starts from the folder.
 *
 * @returns `undefined` when there is none that may be executed.
 */
export function findProgram(program: string, folder: string, env = process.env): string | undefined {
  const isWindows = process.platform === 'win32';
  const suffixes = isWindows ? ['', ...(env.PATHEXT ?? '.EXE').split(';')] : [''];
  const folders = /[\\/]/.test(program) || isAbsolute(program) ? [folder] : (env.PATH ?? '').split(delimiter);
  const candidates = folders.flatMap((one) => suffixes.map((suffix) => resolve(join(one, ''), program + suffix)));
  return candidates.find((file) => isFile(file) && (isWindows || mayExecute(file)));
}

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

function mayExecute(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
