/**
 * Errors about one file of the user's data.
 *
 * @module
 */
import { DataError } from '../errors';

/** A {@link DataError} whose message starts with the file, so that it is still named after crossing a thread. */
export function badFile(file: string, problem: string, hint: string, cause?: unknown): DataError {
  return new DataError(`${file}: ${problem}`, { file, hint, ...(cause === undefined ? {} : { cause }) });
}
