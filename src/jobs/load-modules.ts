import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, resolve } from 'node:path';
import { ConfigError } from '../errors';

/**
 * Loads the files with a job's own parts, which register themselves. This executes them: call it only for jobs that the user
 * of this machine chose to run.
 *
 * @param folder what relative paths start from: the folder of the job file.
 * @throws ConfigError for a file that is missing or fails while it is loaded.
 */
export function loadModules(modules: readonly string[], folder: string): void {
  for (const module of modules) {
    const file = resolve(folder, module);
    if (!existsSync(file)) {
      throw new ConfigError(`The job's module '${module}' does not exist; it was looked for in '${folder}'.`, {
        hint: 'Paths in a job file start from the folder of that file.',
      });
    }
    loading = file;
    try {
      load(file);
    } finally {
      loading = undefined;
    }
  }
}

let loading: string | undefined;

/** @throws ConfigError while a job's module is being loaded: a run that started there would load it again, and so on. */
export function refuseWhileLoading(): void {
  if (loading === undefined) return;
  throw new ConfigError(
    `'${loading}' starts a run when it is loaded as a module of a job. Put the parts that it defines into a file of their own, or start the run only if require.main === module.`,
  );
}

/** Loads a file as `require` does, TypeScript too. @throws ConfigError that names the file, with the cause. */
export function load(file: string): unknown {
  const require = createRequire(file);
  if (/\.[cm]?ts$/.test(file)) registerTypeScript(require, file);
  try {
    return require(file);
  } catch (cause) {
    throw new ConfigError(`'${file}' could not be loaded: ${reasonOf(cause)}`, {
      cause,
      hint: 'Correct the file; it is loaded where the job is checked, and in every worker.',
    });
  }
}

/** What went wrong, without the compiler's own stack, which follows its picture of the place in the file. */
function reasonOf(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  const [reason = ''] = message.split(/\n\s*(?:Caused by:|Stack backtrace:)/);
  return reason.trimEnd();
}

/**
 * Makes `require` read TypeScript, unless it does already. In an installed package our own code is compiled, but the user's may
 * be TypeScript.
 *
 * @throws ConfigError when the project of the file has no ts-node.
 */
export function registerTypeScript(require: NodeJS.Require, file: string): void {
  if (require.extensions['.ts'] !== undefined) return;
  try {
    // Whatever the project is compiled to for others (a bundler, say): Node.js reads its files as their package says.
    const compilerOptions = { module: 'node16', moduleResolution: 'node16' };
    require('ts-node').register({ transpileOnly: true, projectSearchDir: dirname(file), compilerOptions });
  } catch (cause) {
    throw new ConfigError(`'${file}' is ${extname(file)}, which needs ts-node in the project it lies in.`, {
      cause,
      hint: 'npm install --save-dev ts-node typescript, or compile the file to JavaScript.',
    });
  }
}
