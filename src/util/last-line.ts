/**
 * The end of a file of lines, whatever its length.
 *
 * @module
 */
import { DataError } from '../errors';
import { codeOf, workspaceError } from './atomic-file';
import type { Disk, DiskFile } from './disk';

/**
 * The last whole line, without its line feed. What follows it, the remains of a line that a crash cut off and nobody was told
 * about, is dropped; the rest is durable afterwards. `undefined` when there is no line, or no file.
 *
 * @throws DataError when the end is no line of at most `longest` bytes; WorkspaceError.
 */
export async function lastLine(path: string, longest: number, disk: Disk): Promise<Buffer | undefined> {
  if (!(await disk.exists(path))) return undefined;
  try {
    const file = await disk.open(path, 'update');
    try {
      return await lastLineOf(file, path, longest);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw codeOf(error) === '' ? error : workspaceError('open', path, error);
  }
}

async function lastLineOf(file: DiskFile, path: string, longest: number): Promise<Buffer | undefined> {
  const size = await file.size();
  const tail = Buffer.alloc(Math.min(size, 2 * (longest + 1)));
  await file.read(tail, size - tail.length);
  const whole = tail.lastIndexOf(lineFeed) + 1;
  if (whole === 0 && size > longest) throw new DataError(`'${path}' does not end in lines.`, { file: path });
  if (whole < tail.length) await file.truncate(size - tail.length + whole);
  await file.sync(); // An earlier process may not have come to it.
  if (whole === 0) return undefined;
  return tail.subarray(whole > 1 ? tail.lastIndexOf(lineFeed, whole - 2) + 1 : 0, whole - 1);
}

const lineFeed = 0x0a;
