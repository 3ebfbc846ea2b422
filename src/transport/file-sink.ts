/**
 * A blob that arrives in a file, durable and resumable: `<sha256>.part` while it grows, `<sha256>` once its hash is right.
 *
 * @module
 */
import { join } from 'node:path';
import type { BlobRef } from '../protocol/wire/messages';
import { workspaceError } from '../util/atomic-file';
import type { Disk, DiskFile } from '../util/disk';
import { durableFolder } from '../util/durable-folder';
import { failpoint } from '../util/failpoint';
import type { BlobSink } from './blobs';

export interface FileSink extends BlobSink {
  /** Where the blob is once it is finished. */
  readonly path: string;
}

export interface FileSinkOptions {
  /**
   * What is durable when the blob is finished: the file and its name; the bytes only, for a file that is moved elsewhere at once;
   * or nothing, for one that can be fetched again. What a power cut leaves is hashed anew before it is taken for whole. @default 'all'
   */
  readonly flush?: 'all' | 'bytes' | 'nothing';
}

/** Pieces in which what is there already is read for hashing, bytes. */
const pieceBytes = 1 << 20;

/**
 * Takes the blob `ref` into `folder`, going on after what an earlier attempt left there. A finished one is only read. No two
 * sinks may take the same blob into the same folder at one time. Rejects with WorkspaceError where the disk fails.
 */
export function fileSink(disk: Disk, folder: string, ref: BlobRef, { flush = 'all' }: FileSinkOptions = {}): FileSink {
  const path = join(folder, ref.sha256);
  const partial = `${path}.part`;
  let file: DiskFile | undefined;
  /** Whether the open file is the finished one. */
  let whole = false;

  async function opened(): Promise<DiskFile> {
    if (file !== undefined) return file;
    await durableFolder(folder, disk);
    whole = await disk.exists(path);
    const opening = whole ? await disk.open(path, 'read') : await disk.open(partial, 'update');
    file = opening;
    return opening;
  }

  async function close(): Promise<void> {
    const closing = file;
    file = undefined;
    await closing?.close();
  }

  async function discard(): Promise<void> {
    await opened();
    await close();
    await disk.remove(whole ? path : partial);
  }

  async function have(): Promise<number> {
    const size = await (await opened()).size();
    if (!whole || size === ref.size) return size;
    await discard();
    return 0;
  }

  async function readPiece(at: number): Promise<Uint8Array> {
    const source = await opened();
    const piece = Buffer.allocUnsafe(Math.min(pieceBytes, (await source.size()) - at));
    return piece.subarray(0, await source.read(piece, at));
  }

  async function finish(): Promise<void> {
    const arrived = await opened();
    if (whole) {
      await close();
      // The process that had written it may not have come to that.
      if (flush === 'all') await disk.syncFolder(folder);
      return;
    }
    failpoint('blob-written', path);
    if (flush !== 'nothing') await flushed(arrived);
    await close();
    await disk.rename(partial, path);
    failpoint('blob-flushed', path);
    if (flush === 'all') await disk.syncFolder(folder);
  }

  /** After a failed flush nothing is known of what was written, and the next one may succeed all the same: it is fetched anew. */
  async function flushed(arrived: DiskFile): Promise<void> {
    try {
      await arrived.sync();
    } catch (error) {
      await discard().catch(() => {}); // What failed first is the reason.
      throw error;
    }
  }

  function told<T>(action: string, done: Promise<T>): Promise<T> {
    return done.catch((error: unknown) => {
      throw workspaceError(action, partial, error);
    });
  }

  return {
    path,
    have: () => told('open', have()),
    async *prefix() {
      for (let at = 0; ; ) {
        const piece = await told('read', readPiece(at));
        if (piece.byteLength === 0) return;
        yield piece;
        at += piece.byteLength;
      }
    },
    write: (pieces, at) =>
      told(
        'write',
        opened().then((growing) => growing.write(pieces, at)),
      ),
    finish: () => told('write', finish()),
    discard: () => told('remove', discard()),
    close: () => told('close', close()),
  };
}
