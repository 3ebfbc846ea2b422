/**
 * Processes of benchmarks as hospitals run them, compiled: the compiler in a process that runs from its sources takes a
 * hundred megabytes, and time whenever a module is first used.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { join, resolve } from 'node:path';
import { outputOf } from '../test/support/run-program';

const project = resolve(__dirname, '..');
let compiling: Promise<unknown> | undefined;

/** Compiles what the benchmarks start, once. */
export async function compileProcesses(): Promise<void> {
  const compiler = join(project, 'node_modules', 'typescript', 'bin', 'tsc');
  compiling ??= outputOf(process.execPath, [compiler, '-p', join(__dirname, 'tsconfig.json')], project);
  await compiling;
}

/** Starts a module of this folder, such as `wire/clients`. */
export function forkCompiled(module: string): ChildProcess {
  return fork(join(project, 'dist', 'bench', 'bench', `${module}.js`), { execArgv: [], stdio: 'inherit' });
}
