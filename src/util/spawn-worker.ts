import { extname, join } from 'node:path';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Starts a worker thread on a module of this library, whether it runs compiled or straight from its TypeScript sources.
 *
 * @param folder `__dirname` of the caller.
 * @param module name of the module in that folder, without suffix.
 */
export function spawnWorker(folder: string, module: string, options: WorkerOptions = {}): Worker {
  const suffix = extname(__filename);
  const file = join(folder, `${module}${suffix}`);
  if (suffix !== '.ts') return new Worker(file, options);
  // The compiler's native code crashes the process when the last thread that loaded it ends: this thread keeps it.
  require('@swc/core');
  return new Worker(file, {
    ...options,
    // ts-node would look for the project in the caller's working directory.
    env: { ...process.env, TS_NODE_PROJECT: join(__dirname, '..', '..', 'tsconfig.json') },
    execArgv: ['--require', require.resolve('ts-node/register/transpile-only')],
  });
}
