/**
 * Reading files that may be anything.
 *
 * @module
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { ConfigError } from '../errors';

/**
 * The bytes of a regular file, `most` + 1 of them at most: a longer result says that the file is too long. Devices and pipes
 * are refused, and not waited for.
 *
 * @param what how messages call the file
 * @throws ConfigError for what is missing, may not be read or is no file.
 */
export async function readBounded(path: string, most: number, what: string): Promise<Uint8Array> {
  let file: FileHandle | undefined;
  try {
    // Without it, opening a pipe that nobody writes to would never end.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stat = await file.stat();
    if (!stat.isFile()) throw refusal(what, path, stat.isDirectory() ? 'it is a folder' : 'it is no regular file');
    return await readUpTo(file, most + 1);
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    throw refusal(what, path, reasons[code] ?? (cause instanceof Error ? cause.message : String(cause)), cause);
  } finally {
    await file?.close();
  }
}

async function readUpTo(file: FileHandle, most: number): Promise<Uint8Array> {
  const buffer = Buffer.alloc(most);
  let length = 0;
  while (length < most) {
    const { bytesRead } = await file.read(buffer, length, most - length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'its name is too long',
};

function refusal(what: string, path: string, why: string, cause?: unknown): ConfigError {
  const shown = path.length > 200 ? `${path.slice(0, 200)}…` : path;
  const code = cause instanceof Error && 'code' in cause ? ` (${cause.code})` : '';
  return new ConfigError(`The ${what} '${shown}' cannot be read: ${why}${code}.`, { hint: 'Check the path.' });
}
