import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { extname, join } from 'node:path';

/**
 * Starts a process on a module of this library, whether it runs compiled or straight from its TypeScript sources. Messages
 * between both are cloned as those between threads are, shared memory apart.
 *
 * @param folder `__dirname` of the caller.
 * @param module name of the module in that folder, without suffix.
 */
export function forkModule(folder: string, module: string, options: ForkOptions = {}): ChildProcess {
  const suffix = extname(__filename);
  const file = join(folder, `${module}${suffix}`);
  const common: ForkOptions = { serialization: 'advanced', execArgv: [], ...options };
  if (suffix !== '.ts') return fork(file, [], common);
  return fork(file, [], {
    ...common,
    // ts-node would look for the project in the caller's working directory.
    env: { ...(options.env ?? process.env), TS_NODE_PROJECT: join(__dirname, '..', '..', 'tsconfig.json') },
    execArgv: ['--require', require.resolve('ts-node/register/transpile-only')],
  });
}
