/**
 * What a run has left and people may have: all of its folder but what only the server needs to go on.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { join, sep } from 'node:path';
import { type FileBlob, fileBlob } from '../../transport/blobs';
import { codeOf, workspaceError } from '../../util/atomic-file';
import type { Disk } from '../../util/disk';
import { runFolder } from '../run-folder';
import type { JobFolder } from './stored-job';

export interface RunFileSource {
  /** Relative to the folder of the run, with slashes. */
  readonly path: string;
  readonly source: FileBlob;
}

/** The files of a run by path, in order of their names; each is hashed when its turn comes. @throws WorkspaceError */
export async function* runFiles(folder: JobFolder, name: string, disk: Disk): AsyncGenerator<RunFileSource> {
  const { root, checkpoint } = runFolder(folder.root, name);
  const paths = await disk.list(root, { recursive: true }).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw workspaceError('read', root, error);
  });
  const folders = new Set(paths.flatMap((path) => above(path)));
  const inner = checkpoint.slice(root.length + 1);
  for (const path of paths.sort()) {
    const isInner = path === inner || path.startsWith(`${inner}${sep}`);
    if (isInner || folders.has(path) || /\.tmp$/.test(path)) continue;
    const found = await hashFile(join(root, path), disk);
    if (found) yield { path: path.split(sep).join('/'), source: fileBlob(disk, join(root, path), found) };
  }
}

/** `a` and `a/b` of `a/b/c`. */
function above(path: string): string[] {
  const parts = path.split(sep).slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join(sep));
}

const pieceBytes = 1 << 20;

/** Size and hash; nothing for a folder. */
async function hashFile(path: string, disk: Disk) {
  const hash = createHash('sha256');
  let size = 0;
  try {
    const file = await disk.open(path, 'read');
    try {
      const piece = Buffer.allocUnsafe(pieceBytes);
      for (;;) {
        const count = await file.read(piece, size);
        if (count === 0) return { sha256: hash.digest('hex'), size };
        hash.update(piece.subarray(0, count));
        size += count;
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    if (codeOf(error) === 'EISDIR') return undefined;
    throw workspaceError('read', path, error);
  }
}
