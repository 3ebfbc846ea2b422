/**
 * Files that survive a crash: a file is either the old one or the new one, never half of each; an appended line that was
 * awaited as durable is on disk. All of it works on any {@link Disk}, by default that of this machine.
 *
 * @module
 */
import { basename, dirname, join } from 'node:path';
import { WorkspaceError } from '../errors';
import type { Access, Disk, DiskFile, OpenMode } from './disk';
import { durableFolder, forgetFolders } from './durable-folder';
import { failpoint } from './failpoint';
import { limit } from './limit';
import { nodeDisk } from './node-disk';

/** Bytes, text, or pieces of bytes that follow one another. */
export type FileData = Uint8Array | string | readonly Uint8Array[];

export interface WriteOptions {
  /**
   * Flush the file before the promise resolves. Without it a power cut may take the file, but never leaves half of it to a
   * process that was killed: for files that are written anew from others. @default true
   */
  readonly durable?: boolean;
  /** Flush the folder too, so that the name is durable; a caller who writes several files flushes it once. @default `durable` */
  readonly durableName?: boolean;
  /** Who may read it, from its first moment on. @default what the system gives a new file */
  readonly access?: Access;
  /** @default this machine's */
  readonly disk?: Disk;
}

/**
 * Writes a file as a whole: to a temporary name in the same folder, flushed, renamed, the folder flushed. Creates missing
 * folders, and flushes their names before. On failure the old file, if any, is untouched. @throws WorkspaceError with the path and what to do.
 */
export async function writeFileAtomic(
  path: string,
  data: FileData,
  { durable = true, durableName = durable, access, disk = nodeDisk }: WriteOptions = {},
): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${disk.freshName()}.tmp`);
  try {
    try {
      await inFolder({ disk, path: temporary, mode: 'new', access, durable }, async (file) => {
        await file.write(piecesOf(data));
        failpoint('file-written', path);
        if (durable) await file.sync();
      });
      failpoint('file-flushed', path);
      await disk.rename(temporary, path);
    } catch (error) {
      await disk.remove(temporary);
      throw error;
    }
    failpoint('file-renamed', path);
    if (durableName) await disk.syncFolder(folder);
  } catch (error) {
    throw workspaceError('write', path, error);
  }
}

function piecesOf(data: FileData): readonly Uint8Array[] {
  if (typeof data === 'string') return [Buffer.from(data)];
  return data instanceof Uint8Array ? [data] : data;
}

/**
 * Removes what killed processes left half-written in a folder and in those below it. Call it only while nobody writes there.
 * @throws WorkspaceError.
 */
export async function removeTemporaryFiles(folder: string, disk: Disk = nodeDisk): Promise<void> {
  const paths = await namesIn(folder, disk, { recursive: true });
  const left = paths.filter((path) => /^\..+\.tmp$/.test(basename(path)));
  await Promise.all(left.map((path) => removeFile(join(folder, path), disk)));
}

export interface AppendOptions {
  /** Flush to disk before the promise resolves. Default false. */
  readonly durable?: boolean;
  /** @default this machine's */
  readonly disk?: Disk;
}

/**
 * Appends one line in a single write and adds the line feed. Creates the file and its folders when missing. A line that
 * does not fit on the disk is taken back as a whole, so that the next one does not follow half of it.
 * @throws WorkspaceError with the path and what to do.
 */
export async function appendLine(path: string, line: string, options: AppendOptions = {}): Promise<void> {
  await appendData(path, `${line}\n`, options);
}

/**
 * Appends data in a single write, as {@link appendLine} does: records, or several lines.
 * @throws WorkspaceError with the path and what to do.
 */
export async function appendData(
  path: string,
  data: Uint8Array | string,
  { durable = false, disk = nodeDisk }: AppendOptions = {},
): Promise<void> {
  try {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    const size = await inFolder({ disk, path, mode: 'append', durable }, (file) => append(file, bytes, durable));
    if (size === 0 && durable) await disk.syncFolder(dirname(path));
  } catch (error) {
    throw workspaceError('append to', path, error);
  }
}

/** Appends all or nothing, and returns the size of the file before. */
async function append(file: DiskFile, bytes: Uint8Array, durable: boolean): Promise<number> {
  const size = await file.size();
  try {
    await file.write([bytes]);
    if (durable) await file.sync();
  } catch (error) {
    await file.truncate(size).catch(() => {}); // What was written first is the better reason.
    throw error;
  }
  return size;
}

/**
 * Drops what follows the last line feed: the remains of a line that a crash cut off and nobody was told about. Call it
 * before appending to a file of an earlier process. Returns how many bytes were dropped; 0 when there is no file.
 */
export async function dropTornLine(path: string, disk: Disk = nodeDisk): Promise<number> {
  try {
    const bytes = await disk.readFile(path);
    const whole = bytes.lastIndexOf(0x0a) + 1;
    if (whole < bytes.length) await withFile({ disk, path, mode: 'update' }, (file) => file.truncate(whole));
    return bytes.length - whole;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 0;
    throw workspaceError('repair', path, error);
  }
}

/** Makes what was appended to a file durable. @throws WorkspaceError with the path and what to do. */
export async function flushFile(path: string, disk: Disk = nodeDisk): Promise<void> {
  await withFile({ disk, path, mode: 'append' }, (file) => file.sync()).catch((error: unknown) => {
    throw workspaceError('write', path, error);
  });
  await flushFolder(dirname(path), disk);
}

/** Makes new and renamed entries of the folder durable. @throws WorkspaceError with the path and what to do. */
export async function flushFolder(folder: string, disk: Disk = nodeDisk): Promise<void> {
  await disk.syncFolder(folder).catch((error: unknown) => {
    throw workspaceError('write', folder, error);
  });
}

/** Removes a file, or a folder with all that is in it; nothing when there is none. @throws WorkspaceError. */
export async function removeFile(path: string, disk: Disk = nodeDisk): Promise<void> {
  await disk.remove(path).catch((error: unknown) => {
    throw workspaceError('remove', path, error);
  });
}

/** Names in the folder, or paths of all below it; none when it does not exist. @throws WorkspaceError. */
export async function namesIn(
  folder: string,
  disk: Disk = nodeDisk,
  options: { readonly recursive?: boolean } = {},
): Promise<string[]> {
  return disk.list(folder, options).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw workspaceError('read', folder, error);
  });
}

interface Opening {
  readonly disk: Disk;
  readonly path: string;
  readonly mode: OpenMode;
  readonly access?: Access | undefined;
}

/** Opens a file in a folder that is made when it turns out to be missing: most files lie where others do. */
async function inFolder<T>(
  { durable, ...opening }: Opening & { readonly durable: boolean },
  use: (file: DiskFile) => Promise<T>,
): Promise<T> {
  const { disk, path } = opening;
  const folder = dirname(path);
  if (durable) await durableFolder(folder, disk);
  try {
    return await withFile(opening, use);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    forgetFolders(disk);
    await (durable ? durableFolder(folder, disk) : disk.makeFolder(folder));
    return withFile(opening, use);
  }
}

/** Files of a disk that are written at one time: a run may have thousands, and a process may open about a thousand. */
const mostOpenFiles = 64;
const openFiles = new WeakMap<Disk, ReturnType<typeof limit>>();

async function withFile<T>({ disk, path, mode, access }: Opening, use: (file: DiskFile) => Promise<T>): Promise<T> {
  const whenFree = openFiles.get(disk) ?? limit(mostOpenFiles);
  openFiles.set(disk, whenFree);
  return whenFree(async () => {
    const file = await disk.open(path, mode, access);
    try {
      return await use(file);
    } finally {
      await file.close();
    }
  });
}

/** A failure of the file system as an error that says what could not be done, why, and what to do. */
export function workspaceError(action: string, path: string, cause: unknown): WorkspaceError {
  const code = codeOf(cause);
  const [why, hint] = (action === 'read' ? readReasons[code] : undefined) ??
    reasons[code] ?? [cause instanceof Error ? cause.message : String(cause), undefined];
  const message = `Cannot ${action} '${path}': ${why}${code === '' ? '' : ` (${code})`}.`;
  return new WorkspaceError(message, hint === undefined ? { cause } : { cause, hint });
}

const readReasons: Readonly<Record<string, readonly [why: string, hint: string]>> = {
  ENOENT: ['it does not exist', 'Check the path.'],
  ENOTDIR: ['a part of the path is a file, not a folder', 'Check the path.'],
  EISDIR: ['it is a folder', 'Check the path.'],
  EACCES: ['this user may not read it', 'Check the path, or give this user the right to read there.'],
};

const freeSpace = 'Free space there, or choose another folder with --workspace. Finished rounds are kept.';
const grantAccess = 'Give this user the right to write there, or choose another folder with --workspace.';

const reasons: Readonly<Record<string, readonly [why: string, hint: string]>> = {
  ENOSPC: ['the disk is full', freeSpace],
  EDQUOT: ["this user's disk quota is used up", freeSpace],
  EFBIG: ['the file is larger than the file system allows', freeSpace],
  EACCES: ['this user may not write there', grantAccess],
  EPERM: ['the operation is not permitted', grantAccess],
  EROFS: ['the file system is read-only', 'Choose a folder on a writable disk with --workspace.'],
  ENOENT: [
    'the folder does not exist and cannot be made there',
    'Check the path; is it on a read-only file system? Choose another folder with --workspace.',
  ],
  ENOTDIR: [
    'a part of the path is a file, not a folder',
    'Remove that file, or choose another folder with --workspace.',
  ],
  EEXIST: [
    'a part of the path is a file, not a folder',
    'Remove that file, or choose another folder with --workspace.',
  ],
  EIO: ['the disk reports an error', 'Check the disk, then continue with --resume. Finished rounds are kept.'],
  EISDIR: ['a folder of that name is in the way', 'Remove the folder, or choose another name.'],
  ENAMETOOLONG: ['the name is too long', 'Choose a shorter job name or workspace.'],
  EMFILE: ['too many files are open', 'Raise the limit of open files (ulimit -n), or use fewer threads.'],
};

/** Codes of a disk that takes no more. */
const fullCodes: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** What is wrong with a disk, in words that name no path; nothing for an error that is not the file system's. */
export function diskTrouble(
  error: unknown,
): { readonly why: string; readonly code: string; readonly isFull: boolean } | undefined {
  const one = codeOf(error) === '' && error instanceof Error ? error.cause : error;
  const code = codeOf(one);
  const isOfSystem = one instanceof Error && (code in reasons || 'syscall' in one);
  if (!isOfSystem) return undefined;
  return { why: reasons[code]?.[0] ?? 'an operation failed', code, isFull: fullCodes.has(code) };
}

/** The code of an error of the file system; empty for other errors. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
