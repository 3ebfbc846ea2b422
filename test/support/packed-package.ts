/**
 * The package as a user gets it: built, packed by npm, and unpacked beside the dependencies that it names.
 *
 * @module
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { outputOf } from './run-program';

const project = resolve(__dirname, '..', '..');

/**
 * Builds and packs the project and installs it in `folder`, without a network: the dependencies of package.json, and no
 * others, are links to this project's.
 */
export async function installPacked(folder: string): Promise<void> {
  await outputOf('npm', ['pack', '--pack-destination', folder], project);
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))!;
  await outputOf('tar', ['-xzf', tarball], folder);
  rmSync(join(folder, tarball));
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '.bin'), { recursive: true });
  renameSync(join(folder, 'package'), join(modules, 'consilium'));
  const { dependencies, bin } = JSON.parse(readFileSync(join(modules, 'consilium', 'package.json'), 'utf8'));
  // A TypeScript user of Node.js has its types.
  for (const name of [...Object.keys(dependencies), '@types/node']) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(project, 'node_modules', name), join(modules, name), 'junction');
  }
  symlinkSync(join(modules, 'consilium', bin.consilium), join(modules, '.bin', 'consilium'));
}
