import { createHash } from 'node:crypto';
import type { DiskFile } from '../../util/disk';

/** Where bytes are: in memory, or in an open file, which stays the caller's to close. */
export type BundleSource = Uint8Array | Pick<DiskFile, 'size' | 'read'>;

export async function sizeOfSource(source: BundleSource): Promise<number> {
  return source instanceof Uint8Array ? source.byteLength : source.size();
}

const pieceBytes = 2 ** 20;

/** The bytes from `start` on, in pieces of a MiB; fewer when the source ends before. */
export async function* piecesOf(source: BundleSource, start: number, length: number): AsyncGenerator<Uint8Array> {
  const end = start + length;
  for (let at = start; at < end; ) {
    const piece = await readPiece(source, at, Math.min(pieceBytes, end - at));
    if (piece.byteLength === 0) return;
    yield piece;
    at += piece.byteLength;
  }
}

/** The bytes from `start` on as a whole; fewer when the source ends before. */
export async function readAll(source: BundleSource, start: number, length: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of piecesOf(source, start, length)) pieces.push(piece);
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

export async function hashOf(
  pieces: AsyncIterable<Uint8Array>,
): Promise<{ readonly sha256: string; readonly size: number }> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const piece of pieces) {
    hash.update(piece);
    size += piece.byteLength;
  }
  return { sha256: hash.digest('hex'), size };
}

async function readPiece(source: BundleSource, at: number, length: number): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source.subarray(at, at + length);
  const into = Buffer.allocUnsafe(length);
  return into.subarray(0, await source.read(into, at));
}
