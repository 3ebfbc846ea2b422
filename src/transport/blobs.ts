/**
 * Blobs: bytes known by their SHA-256, such as models, updates and bundles. A source can be read by many connections at one
 * time; a sink takes one blob from start to end, and where it is a file it goes on after whatever broke it off.
 *
 * @module
 */
import { DataError, isConsiliumError, RefusedError } from '../errors';
import type { BlobRef } from '../protocol/wire/messages';
import { workspaceError } from '../util/atomic-file';
import type { Disk, DiskFile } from '../util/disk';
import { sha256Of } from '../util/sha256';

export interface BlobSource {
  readonly ref: BlobRef;
  /** The bytes [offset, offset + length), in parts that nobody changes. They lie within the blob. */
  read(offset: number, length: number): readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
}

export interface BlobSink {
  /** Bytes that are there already, from an earlier attempt: the next write begins after them. */
  have(): Promise<number>;
  /** What is there already, in pieces, for hashing. */
  prefix(): AsyncIterable<Uint8Array>;
  /** The next bytes, in pieces. They follow those before without a hole, and are not changed afterwards. */
  write(pieces: readonly Uint8Array[], at: number): Promise<void>;
  /** All is there and has the right hash: makes it final and durable. */
  finish(): Promise<void>;
  /** What is there is wrong: the next write begins at 0. */
  discard(): Promise<void>;
  /** Lets go of what is open; what is there stays for the next attempt. `Channel.fetch` calls it at its end, whatever that is. */
  close(): Promise<void>;
}

/** A blob whose bytes lie in memory, in parts. They are hashed here, once, and never copied. */
export function memoryBlob(parts: readonly Uint8Array[]): BlobSource {
  const starts = [0];
  for (const part of parts) starts.push(starts.at(-1)! + part.byteLength);
  return {
    ref: { sha256: sha256Of(...parts), size: starts.at(-1)! },
    read(offset, length) {
      const end = offset + length;
      const found: Uint8Array[] = [];
      for (let i = partAt(starts, offset); i < parts.length && starts[i]! < end; i++) {
        const start = starts[i]!;
        found.push(parts[i]!.subarray(Math.max(0, offset - start), end - start));
      }
      return found;
    },
  };
}

/** Index of the last part that starts at or before `offset`, by halving. */
function partAt(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

export interface FileBlob extends BlobSource {
  /** Closes the file, once the reads that have begun are done. The next read opens it again. */
  close(): Promise<void>;
  /** Renames the file. Whoever reads on meanwhile waits for it, and finds the bytes at the new place. */
  move(to: string): Promise<void>;
}

/**
 * A blob that is a file. It is opened with the first read. Reads reject with DataError when the file is shorter than the blob,
 * and with WorkspaceError where the disk fails.
 */
export function fileBlob(disk: Disk, path: string, ref: BlobRef): FileBlob {
  let file: Promise<DiskFile> | undefined;
  let place = path;
  let moving: Promise<void> | undefined;
  const reads = new Set<Promise<unknown>>();

  async function readFrom(opened: Promise<DiskFile>, offset: number, length: number): Promise<readonly Uint8Array[]> {
    const bytes = Buffer.allocUnsafe(length);
    const source = await opened;
    let filled = 0;
    while (filled < length) {
      const count = await source.read(bytes.subarray(filled), offset + filled);
      if (count === 0) throw tooShort(place, ref, offset + filled);
      filled += count;
    }
    return [bytes];
  }

  return {
    ref,
    read(offset, length) {
      file ??= openFile().catch((error: unknown) => {
        file = undefined;
        throw error;
      });
      const read = readFrom(file, offset, length).catch((error: unknown) => {
        throw isConsiliumError(error) ? error : workspaceError('read', place, error);
      });
      reads.add(read);
      const done = () => reads.delete(read);
      read.then(done, done);
      return read;
    },
    close,
    async move(to) {
      const moved = close().then(() => disk.rename(place, to));
      moving = moved.then(
        () => {
          place = to;
        },
        () => {}, // Told to whoever moves it; the file is where it was.
      );
      await moved;
      await moving;
    },
  };

  async function openFile(): Promise<DiskFile> {
    await moving;
    return disk.open(place, 'read');
  }

  async function close(): Promise<void> {
    const open = file;
    file = undefined;
    await Promise.allSettled(reads);
    await (await open)?.close();
  }
}

function tooShort(path: string, ref: BlobRef, end: number): DataError {
  return new DataError(`The file '${path}' was to hold ${ref.size} bytes and ends after ${end}.`, {
    file: path,
    hint: 'Somebody shortened or replaced it. Restore it, or remove it so that it is made anew.',
  });
}

export interface MemorySink extends BlobSink {
  /** The whole blob, once it is finished. */
  bytes(): Uint8Array;
}

/** Takes a blob of at most `limitBytes` into memory. @throws RefusedError from `write` beyond that. */
export function memorySink(limitBytes: number): MemorySink {
  let parts: Uint8Array[] = [];
  let size = 0;
  return {
    have: async () => size,
    async *prefix() {
      yield* parts;
    },
    async write(pieces) {
      const added = pieces.reduce((sum, { byteLength }) => sum + byteLength, 0);
      if (size + added > limitBytes) {
        throw new RefusedError(`A blob of more than ${limitBytes} bytes was sent, and no more are taken here.`);
      }
      parts.push(...pieces);
      size += added;
    },
    async finish() {
      parts = [Buffer.concat(parts, size)];
    },
    async discard() {
      parts = [];
      size = 0;
    },
    async close() {},
    bytes: () => parts[0] ?? new Uint8Array(0),
  };
}
