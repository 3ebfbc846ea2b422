/**
 * The files of a run that has ended, from its server into a folder.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { ConfigError, isConsiliumError, ProtocolError, RefusedError, WorkspaceError } from '../../errors';
import type { RunFile } from '../../protocol/admin-api';
import type { BlobRef } from '../../protocol/wire/messages';
import { fileSink } from '../../transport/file-sink';
import { codeOf, workspaceError } from '../../util/atomic-file';
import type { Disk } from '../../util/disk';
import { forgetFolders } from '../../util/durable-folder';
import { nodeDisk } from '../../util/node-disk';
import { pathProblem, pathsProblem } from '../provision/bundle-paths';
import type { AdminClient } from './admin-client';

export interface DownloadedFile extends BlobRef {
  readonly path: string;
}

export interface DownloadOptions {
  readonly signal: AbortSignal;
  readonly fetched?: (file: DownloadedFile) => void;
  /** @default this machine's */
  readonly disk?: Disk;
}

/** What is fetched lies here until it is whole: another call goes on with it. */
const unfinished = '.downloading';

/**
 * Fetches all files of a run. What lies there already, whole and the same, is not fetched again.
 *
 * @throws ConfigError for another file where one has to be; WorkspaceError where the disk fails; RefusedError when the job is
 * deleted meanwhile; what the server refuses.
 */
export async function downloadRun(
  client: AdminClient,
  job: string,
  folder: string,
  { signal, fetched = () => {}, disk = nodeDisk }: DownloadOptions,
): Promise<readonly DownloadedFile[]> {
  const files: RunFile[] = [];
  try {
    for await (const page of client.pages('download', { job })) files.push(...page.files);
  } catch (error) {
    throw files.length > 0 && (await isDeleted(client, job)) ? deleted(job) : error;
  }
  checkPaths(files);
  for (const { path, blob } of files) {
    const target = join(folder, path);
    try {
      const there = await hashOf(target, disk);
      if (there === undefined) await fetchFile(client, blob, target, join(folder, unfinished), signal, disk);
      else if (there !== blob.sha256) throw inTheWay(target);
    } catch (error) {
      if (isConsiliumError(error, 'ProtocolError') && (await isDeleted(client, job))) throw deleted(job);
      throw isConsiliumError(error, 'WorkspaceError') ? elsewhere(error) : error;
    }
    fetched({ path, ...blob });
  }
  await disk.remove(join(folder, unfinished));
  forgetFolders(disk, join(folder, unfinished));
  return files.map(({ path, blob }) => ({ path, ...blob }));
}

/** Whether the server has no such job any more: whoever may download may look at a job, too. */
async function isDeleted(client: AdminClient, job: string): Promise<boolean> {
  return client.call('show', { job }).then(
    () => false,
    (error: unknown) => isConsiliumError(error, 'RefusedError'),
  );
}

function deleted(job: string): RefusedError {
  return new RefusedError(`The job '${job}' was deleted while its files were downloaded.`, {
    hint: "What has arrived is kept; 'consilium jobs' lists the jobs that there are.",
  });
}

/** @throws ProtocolError for a path that leads out of the folder, or is no path on some system. */
function checkPaths(files: readonly RunFile[]): void {
  const paths = files.map(({ path }) => path);
  for (const path of paths) {
    const problem = pathProblem(path);
    if (problem !== undefined) throw new ProtocolError(`The server names a file ${JSON.stringify(path)}: ${problem}.`);
  }
  const problem = pathsProblem(paths);
  if (problem !== undefined)
    throw new ProtocolError(`The server names files that cannot lie in one folder: ${problem}.`);
}

async function fetchFile(
  client: AdminClient,
  blob: BlobRef,
  target: string,
  spool: string,
  signal: AbortSignal,
  disk: Disk,
): Promise<void> {
  const sink = fileSink(disk, spool, blob);
  await client.fetch(blob, sink, signal);
  try {
    await disk.makeFolder(dirname(target));
    await disk.rename(sink.path, target);
  } catch (error) {
    throw workspaceError('write', target, error);
  }
}

const pieceBytes = 1 << 20;

/** The hash of a file; nothing when there is none. */
async function hashOf(path: string, disk: Disk): Promise<string | undefined> {
  try {
    const file = await disk.open(path, 'read');
    try {
      const hash = createHash('sha256');
      const piece = Buffer.allocUnsafe(pieceBytes);
      for (let at = 0; ; ) {
        const count = await file.read(piece, at);
        if (count === 0) return hash.digest('hex');
        hash.update(piece.subarray(0, count));
        at += count;
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw workspaceError('read', path, error);
  }
}

/** The files need not lie in a workspace. */
function elsewhere({ message, cause }: Error): WorkspaceError {
  return new WorkspaceError(message, { cause, hint: 'Choose another folder with --out; what has arrived is kept.' });
}

function inTheWay(path: string): ConfigError {
  return new ConfigError(`'${path}' is there already, and is another file.`, {
    hint: 'Move it, or download into another folder with --out.',
  });
}
