/**
 * The end of a file of lines, whatever its length.
 *
 * @module
 */
import { DataError } from '../errors';
import { codeOf, workspaceError } from './atomic-file';
import type { Disk, DiskFile } from './disk';

/**
 * The last whole lines, without their line feeds: one at least when the file has any, and as many as lie in the last
 * 2 · `longest` bytes. What follows them, the remains of a line that a crash cut off and nobody was told about, is dropped; the
 * rest is durable afterwards. None when there is no file.
 *
 * @throws DataError when the end is no line of at most `longest` bytes; WorkspaceError.
 */
export async function lastLines(path: string, longest: number, disk: Disk): Promise<readonly Buffer[]> {
  if (!(await disk.exists(path))) return [];
  try {
    const file = await disk.open(path, 'update');
    try {
      return await lastLinesOf(file, path, longest);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw codeOf(error) === '' ? error : workspaceError('open', path, error);
  }
}

async function lastLinesOf(file: DiskFile, path: string, longest: number): Promise<readonly Buffer[]> {
  const size = await file.size();
  const tail = Buffer.alloc(Math.min(size, 2 * (longest + 1)));
  await file.read(tail, size - tail.length);
  const whole = tail.lastIndexOf(lineFeed) + 1;
  if (whole === 0 && size > longest) throw new DataError(`'${path}' does not end in lines.`, { file: path });
  if (whole < tail.length) await file.truncate(size - tail.length + whole);
  await file.sync(); // An earlier process may not have come to it.
  const lines: Buffer[] = [];
  let start = tail.length < size ? tail.indexOf(lineFeed) + 1 : 0; // The tail may begin within a line.
  while (start < whole) {
    const end = tail.indexOf(lineFeed, start);
    lines.push(tail.subarray(start, end));
    start = end + 1;
  }
  return lines;
}

const lineFeed = 0x0a;
