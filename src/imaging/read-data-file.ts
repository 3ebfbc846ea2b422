import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { isConsiliumError } from '../errors';
import { badFile } from './data-error';

/**
 * All bytes of a regular file of the user's data. Its size is looked at before memory is taken; devices and pipes are refused,
 * and not waited for.
 *
 * @param what how messages call it: `an .npy file`
 * @throws DataError for what is missing, unreadable, no regular file or larger than `mostBytes`.
 */
export async function readDataFile(file: string, what: string, mostBytes: number): Promise<Uint8Array> {
  let handle: FileHandle | undefined;
  try {
    // Without it, opening a pipe that nobody writes to would never end.
    handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const info = await handle.stat();
    if (!info.isFile()) throw badFile(file, `not a regular file, expected ${what}.`, 'Correct the path.');
    if (info.size > mostBytes) {
      throw badFile(file, `${info.size} bytes, expected at most ${mostBytes}.`, `It is larger than ${what} can be.`);
    }
    return await readWhole(handle, info.size);
  } catch (error) {
    throw isConsiliumError(error) ? error : unreadable(file, error);
  } finally {
    await handle?.close();
  }
}

async function readWhole(handle: FileHandle, size: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(size);
  let filled = 0;
  while (filled < size) {
    const { bytesRead } = await handle.read(bytes, filled, size - filled, filled);
    if (bytesRead === 0) break; // It was cut while it was read; what is missing is told by who parses it.
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

/** What the operating system said, in plain words. */
function unreadable(file: string, error: unknown): Error {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT') return badFile(file, 'there is no such file.', 'Check the folder of the data.', error);
  if (code === 'EACCES' || code === 'EPERM') {
    return badFile(file, 'no permission to read it.', 'Give this user read access to the file.', error);
  }
  const reason = error instanceof Error ? error.message : String(error);
  return badFile(file, `cannot be read (${reason}).`, 'Check the file and the disk it lies on.', error);
}
