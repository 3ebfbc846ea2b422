/**
 * The lines of a file, one at a time, whatever its length.
 *
 * @module
 */
import { DataError } from '../errors';
import type { DiskFile } from './disk';

export interface FileLine {
  /** Without its line feed. */
  readonly bytes: Buffer;
  /** Counted from 1. */
  readonly number: number;
  /** False for what follows the last line feed. */
  readonly whole: boolean;
}

const pieceBytes = 1 << 16;

/** @throws DataError for a line longer than `longest` bytes. */
export async function* readLines(file: Pick<DiskFile, 'read'>, longest: number): AsyncGenerator<FileLine> {
  let rest: Buffer = Buffer.alloc(0);
  let number = 1;
  for (let at = 0; ; ) {
    const piece = Buffer.allocUnsafe(pieceBytes);
    const count = await file.read(piece, at);
    at += count;
    let text: Buffer = Buffer.concat([rest, piece.subarray(0, count)]);
    for (let end = text.indexOf(lineFeed); end >= 0; end = text.indexOf(lineFeed)) {
      yield { bytes: text.subarray(0, end), number: number++, whole: true };
      text = text.subarray(end + 1);
    }
    if (text.length > longest) throw new DataError(`Line ${number} has more than ${longest} bytes.`);
    rest = text;
    if (count === 0) break;
  }
  if (rest.length > 0) yield { bytes: rest, number, whole: false };
}

const lineFeed = 0x0a;
