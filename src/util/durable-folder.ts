/**
 * Folders whose names are durable before anything lies in them: a file that was flushed in a folder that a power cut takes is
 * lost all the same.
 *
 * @module
 */
import { dirname, sep } from 'node:path';
import type { Disk } from './disk';
import { nodeDisk } from './node-disk';

/** Folders that are known to be durable, or on their way, by disk. */
const known = new WeakMap<Disk, Map<string, Promise<void>>>();

/** What is remembered of a disk at most. To forget costs one look at each folder. */
const mostKnown = 1000;

/**
 * Makes the folder and those above it, each flushed before the next. A folder in which something lies is taken for durable:
 * make it by this function before anybody writes to it.
 *
 * @throws errors of the file system.
 */
export function durableFolder(path: string, disk: Disk = nodeDisk): Promise<void> {
  const ofDisk = known.get(disk) ?? new Map<string, Promise<void>>();
  known.set(disk, ofDisk);
  const underway = ofDisk.get(path);
  if (underway) return underway;
  if (ofDisk.size >= mostKnown) ofDisk.clear();
  const made = makeDurable(path, disk);
  ofDisk.set(path, made);
  made.catch(() => ofDisk.delete(path));
  return made;
}

/** Folders of the disk are removed, all or those at and below a path: looks at them again when they are needed. */
export function forgetFolders(disk: Disk, path?: string): void {
  if (path === undefined) known.delete(disk);
  const ofDisk = known.get(disk);
  for (const one of ofDisk?.keys() ?? []) if (one === path || one.startsWith(`${path}${sep}`)) ofDisk!.delete(one);
}

async function makeDurable(path: string, disk: Disk): Promise<void> {
  const there = await stateOf(path, disk);
  const above = dirname(path);
  if (there === 'in use' || above === path) return;
  await durableFolder(above, disk);
  if (there === 'missing') await disk.makeFolder(path);
  await disk.syncFolder(above).catch((error: NodeJS.ErrnoException) => {
    if (!isForbidden(error)) throw error; // Whose folder it is has to see to its flushing.
  });
}

async function stateOf(path: string, disk: Disk): Promise<'missing' | 'empty' | 'in use'> {
  try {
    return (await disk.list(path)).length === 0 ? 'empty' : 'in use';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'missing';
    if (isForbidden(error as NodeJS.ErrnoException)) return 'in use';
    throw error;
  }
}

function isForbidden({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EACCES' || code === 'EPERM';
}
