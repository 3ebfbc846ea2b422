import { extname, join } from 'node:path';

/**
 * Loads a module of this library at its first use, so that importing the library does not. Name its type:
 * `loadModule<typeof import('./simulate')>(__dirname, 'simulate')`.
 *
 * @param folder `__dirname` of the caller.
 * @param module name of the module in that folder, without suffix.
 */
export async function loadModule<T>(folder: string, module: string): Promise<T> {
  const suffix = extname(__filename);
  const file = join(folder, `${module}${suffix}`);
  // Compiled code, and sources under ts-node, are what `require` reads. Any other runner of the sources brings its `import`.
  return suffix in require.extensions ? require(file) : import(file);
}
