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
  return new Worker(join(folder, `${module}${suffix}`), {
    ...options,
    // ts-node would look for the project in the caller's working directory.
    env: { ...process.env, TS_NODE_PROJECT: join(__dirname, '..', '..', 'tsconfig.json') },
    execArgv: suffix === '.ts' ? ['--require', require.resolve('ts-node/register/transpile-only')] : [],
  });
}
