/**
 * Files that survive a crash: a file is either the old one or the new one, never half of each; an appended line that was
 * awaited as durable is on disk.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, truncate } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { WorkspaceError } from '../errors';
import { limit } from './limit';

/** Files that this process writes at one time: a run may have thousands, and a process may open about a thousand. */
const openFiles = limit(64);

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
}

/**
 * Writes a file as a whole: to a temporary name in the same folder, flushed, renamed, the folder flushed. Creates missing
 * folders. On failure the old file, if any, is untouched. @throws WorkspaceError with the path and what to do.
 */
export async function writeFileAtomic(
  path: string,
  data: FileData,
  { durable = true, durableName = durable }: WriteOptions = {},
): Promise<void> {
  const folder = dirname(path);
  // Not the number of the process: in a container it is the same each time, and a killed one may have left its file.
  const temporary = join(folder, `.${basename(path)}.${randomUUID()}.tmp`);
  try {
    await mkdir(folder, { recursive: true });
    try {
      await openFiles(() =>
        withFile(temporary, 'wx', async (file) => {
          for (const part of partsOf(data)) await writePart(file, part);
          if (durable) await file.sync();
        }),
      );
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    if (durableName) await flush(folder);
  } catch (error) {
    throw workspaceError('write', path, error);
  }
}

/**
 * Removes what killed processes left half-written in a folder and in those below it. Call it only while nobody writes there.
 * @throws WorkspaceError.
 */
export async function removeTemporaryFiles(folder: string): Promise<void> {
  try {
    const left = (await readdir(folder, { recursive: true })).filter((path) => /^\..+\.tmp$/.test(basename(path)));
    await Promise.all(left.map((path) => rm(join(folder, path), { force: true })));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw workspaceError('clear', folder, error);
  }
}

/** Pieces of data for as few calls as the system allows: `FileHandle.writeFile` makes one for every half megabyte. */
function partsOf(data: FileData): readonly (readonly Uint8Array[])[] {
  if (typeof data === 'string') return [[Buffer.from(data)]];
  const pieces = data instanceof Uint8Array ? [data] : data;
  const groups: Uint8Array[][] = [];
  for (let i = 0; i < pieces.length; i += mostPieces) groups.push(pieces.slice(i, i + mostPieces));
  return groups;
}

/** Pieces that one `writev` call takes on every system. */
const mostPieces = 512;

async function writePart(file: FileHandle, pieces: readonly Uint8Array[]): Promise<void> {
  const size = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  const { bytesWritten } = await file.writev([...pieces]);
  if (bytesWritten === size) return;
  // A short write: some file systems stop at 2 GiB, and a full disk takes what fits. The rest goes piece by piece.
  let skipped = bytesWritten;
  for (const piece of pieces) {
    for (let at = Math.min(skipped, piece.byteLength); at < piece.byteLength; ) {
      at += (await file.write(piece, at)).bytesWritten;
    }
    skipped = Math.max(0, skipped - piece.byteLength);
  }
}

export interface AppendOptions {
  /** Flush to disk before the promise resolves. Default false. */
  readonly durable?: boolean;
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
  { durable = false }: AppendOptions = {},
): Promise<void> {
  try {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    const size = await openFiles(() => withFileToAppend(path, (file) => append(file, bytes, durable)));
    if (size === 0 && durable) await flush(dirname(path));
  } catch (error) {
    throw workspaceError('append to', path, error);
  }
}

/** Appends all or nothing, and returns the size of the file before. */
async function append(file: FileHandle, bytes: Uint8Array, durable: boolean): Promise<number> {
  const { size } = await file.stat();
  try {
    await writePart(file, [bytes]);
  } catch (error) {
    await file.truncate(size).catch(() => {}); // What was written first is the better reason.
    throw error;
  }
  if (durable) await file.sync();
  return size;
}

/** Opens a file at its end. Its folder is made when it turns out to be missing: most files are appended to many times. */
async function withFileToAppend<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, 'a').catch(async (error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
    await mkdir(dirname(path), { recursive: true });
    return open(path, 'a');
  });
  return closing(file, use);
}

/**
 * Drops what follows the last line feed: the remains of a line that a crash cut off and nobody was told about. Call it
 * before appending to a file of an earlier process. Returns how many bytes were dropped; 0 when there is no file.
 */
export async function dropTornLine(path: string): Promise<number> {
  try {
    const bytes = await readFile(path);
    const whole = bytes.lastIndexOf(0x0a) + 1;
    if (whole < bytes.length) await truncate(path, whole);
    return bytes.length - whole;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 0;
    throw workspaceError('repair', path, error);
  }
}

/** A failure of the file system as an error that says what could not be done, why, and what to do. */
export function workspaceError(action: string, path: string, cause: unknown): WorkspaceError {
  const code = codeOf(cause);
  const [why, hint] = reasons[code] ?? [cause instanceof Error ? cause.message : String(cause), undefined];
  const message = `Cannot ${action} '${path}': ${why}${code === '' ? '' : ` (${code})`}.`;
  return new WorkspaceError(message, hint === undefined ? { cause } : { cause, hint });
}

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
  EISDIR: ['a folder of that name is in the way', 'Remove the folder, or choose another name.'],
  ENAMETOOLONG: ['the name is too long', 'Choose a shorter job name or workspace.'],
  EMFILE: ['too many files are open', 'Raise the limit of open files (ulimit -n), or use fewer threads.'],
};

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

async function withFile<T>(path: string, flags: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  return closing(await open(path, flags), use);
}

async function closing<T>(file: FileHandle, use: (file: FileHandle) => Promise<T>): Promise<T> {
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/** Makes what was appended to a file durable. @throws WorkspaceError with the path and what to do. */
export async function flushFile(path: string): Promise<void> {
  await withFile(path, 'a', (file) => file.sync()).catch((error: unknown) => {
    throw workspaceError('write', path, error);
  });
  await flushFolder(dirname(path));
}

/** Makes new and renamed entries of the folder durable. @throws WorkspaceError with the path and what to do. */
export async function flushFolder(folder: string): Promise<void> {
  await flush(folder).catch((error: unknown) => {
    throw workspaceError('write', folder, error);
  });
}

/** Windows has no such operation, and needs none. */
async function flush(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  await withFile(folder, 'r', (handle) => handle.sync());
}
