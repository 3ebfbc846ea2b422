/**
 * A blob that arrives in a file, durable and resumable: `<sha256>.part` while it grows, `<sha256>` once its hash is right.
 *
 * @module
 */
import { join } from 'node:path';
import type { BlobRef } from '../protocol/wire/messages';
import type { Disk, DiskFile } from '../util/disk';
import { durableFolder } from '../util/durable-folder';
import type { BlobSink } from './blobs';

export interface FileSink extends BlobSink {
  /** Where the blob is once it is finished. */
  readonly path: string;
}

/** Pieces in which what is there already is read for hashing, bytes. */
const pieceBytes = 1 << 20;

/** Takes the blob `ref` into `folder`, going on after what an earlier attempt left there. A finished one is only read. */
export function fileSink(disk: Disk, folder: string, ref: BlobRef): FileSink {
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

  return {
    path,
    close,
    discard,
    async have() {
      const size = await (await opened()).size();
      if (!whole || size === ref.size) return size;
      await discard();
      return 0;
    },
    async *prefix() {
      const source = await opened();
      const size = await source.size();
      for (let at = 0; at < size; ) {
        const piece = Buffer.allocUnsafe(Math.min(pieceBytes, size - at));
        const count = await source.read(piece, at);
        if (count === 0) return;
        yield piece.subarray(0, count);
        at += count;
      }
    },
    write: async (bytes, at) => (await opened()).write([bytes], at),
    async finish() {
      const arrived = await opened();
      if (whole) {
        await close();
        return disk.syncFolder(folder); // The process that had written it may not have come to that.
      }
      await arrived.sync();
      await close();
      await disk.rename(partial, path);
      await disk.syncFolder(folder);
    },
  };
}
