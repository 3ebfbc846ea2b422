/**
 * Packages for the code of jobs: what is unpacked below a workspace finds this library there, and the TypeScript compiler where
 * one is installed beside it.
 *
 * @module
 */
import { mkdir, readlink, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { workspaceError } from '../util/atomic-file';
import { packageFolder } from './versions';

/** What reads code that is TypeScript; none of it is needed for JavaScript. */
const compilers = ['ts-node', 'typescript', '@swc/core'];

/** Links in `<workspace>/node_modules`, where Node.js looks from any folder below. @throws WorkspaceError */
export async function linkPackages(workspace: string): Promise<void> {
  const own = packageFolder();
  const { resolve } = createRequire(join(own, 'package.json'));
  await link('consilium', own, workspace);
  for (const name of compilers) {
    const found = folderOf(name, resolve);
    if (found !== undefined) await link(name, found, workspace);
  }
}

function folderOf(name: string, resolve: NodeJS.RequireResolve): string | undefined {
  try {
    return dirname(resolve(`${name}/package.json`));
  } catch {
    return undefined; // Not installed.
  }
}

async function link(name: string, target: string, workspace: string): Promise<void> {
  const path = join(workspace, 'node_modules', name);
  try {
    if ((await readlink(path).catch(() => undefined)) === target) return;
    await mkdir(dirname(path), { recursive: true });
    await rm(path, { recursive: true, force: true }); // Of an earlier installation.
    await symlink(target, path, 'junction');
  } catch (error) {
    throw workspaceError('link a package into', path, error);
  }
}
