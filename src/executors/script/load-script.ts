import { createRequire } from 'node:module';
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigError } from '../../errors';
import { registerTypeScript } from '../../jobs/load-modules';
import type { TrainScript } from './script-site';

/**
 * The function that a training script exports by default. The file may be CommonJS or an ES module, JavaScript or, where
 * ts-node is installed or Node.js itself reads it, TypeScript.
 *
 * @throws ConfigError when it exports no function; what the file throws while it is loaded.
 */
export async function loadScript(file: string): Promise<TrainScript> {
  const script = defaultExport(await loadFile(file));
  if (typeof script === 'function') return script as TrainScript;
  throw new ConfigError(`The script '${basename(file)}' exports no function by default.`, {
    hint: 'Write: export default async function train(site) { for await (const task of site.tasks()) … }',
  });
}

async function loadFile(file: string): Promise<unknown> {
  const require = createRequire(file);
  if (/\.c?ts$/.test(file)) registerTypeScript(require, file);
  if (/\.m[jt]s$/.test(file)) return importFile(file);
  try {
    return require(file);
  } catch (error) {
    // The two say that the file is an ES module: of its own, or of its package's type.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_REQUIRE_ESM' && code !== 'ERR_REQUIRE_ASYNC_MODULE') throw error;
    return importFile(file);
  }
}

async function importFile(file: string): Promise<unknown> {
  try {
    return await import(pathToFileURL(file).href);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_UNKNOWN_FILE_EXTENSION') throw cause;
    throw new ConfigError(`'${basename(file)}' is an ES module in TypeScript, which this Node.js cannot read.`, {
      cause,
      hint: 'Name it .cts, compile it to JavaScript, or use Node.js 22.18 or newer, which reads TypeScript itself.',
    });
  }
}

/** Compilers wrap a default export once, and an import of what they compiled wraps it again. */
function defaultExport(loaded: unknown): unknown {
  let value = loaded;
  for (let depth = 0; depth < 2 && typeof value === 'object' && value !== null && 'default' in value; depth++) {
    value = value.default;
  }
  return value;
}
