/**
 * The bytes of a file, unpacked when it is gzip, never more of them than its own head asks for.
 *
 * @module
 */
import { type FileHandle, open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { isConsiliumError } from '../../errors';
import { badFile } from '../data-error';

export interface BoundedBytes {
  /** The first `wanted` bytes, where `wanted` is what the head asked for. */
  readonly bytes: Uint8Array;
  /** Bytes found behind them: allowed, not kept. */
  readonly trailing: number;
}

/** How many bytes of the file are wanted, header included, told from its first bytes (fewer when the file is shorter). */
export type WantedBytes = (head: Uint8Array) => number;

/** Unpacked bytes beyond the wanted ones that a gzip file may hold. */
const TRAILING_LIMIT = 2 ** 20;

/** No deflate stream unpacks to more than 1032 times its size (zlib technical details). */
const DEFLATE_LIMIT = 1032;

const CHUNK_BYTES = 2 ** 18;
const COPY_AGAIN = 'The file was damaged or cut off: copy it again from its source and compare checksums.';

/**
 * Reads the head, asks `wanted` how much there must be, and only then takes memory for it. gzip is told by its two magic
 * bytes, not by the file's name; several gzip members in a row are one stream.
 *
 * @throws DataError when the file is missing, unreadable, damaged, shorter than wanted, or (gzip) more than 1 MiB longer.
 */
export async function readBounded(file: string, headBytes: number, wanted: WantedBytes): Promise<BoundedBytes> {
  const handle = await openFile(file);
  try {
    const info = await handle.stat();
    if (!info.isFile()) throw badFile(file, 'not a regular file, expected a NIfTI file.', 'Correct the path.');
    const head = await readHead(handle, headBytes);
    const packed = head[0] === 0x1f && head[1] === 0x8b;
    return packed
      ? await readPacked(handle, { file, headBytes, wanted, fileBytes: info.size })
      : await readPlain(handle, file, wanted(head), info.size);
  } catch (error) {
    throw isConsiliumError(error) ? error : unreadable(file, error);
  } finally {
    await handle.close();
  }
}

async function openFile(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'r');
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** What the operating system or zlib said, in plain words. */
function unreadable(file: string, error: unknown): Error {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT') {
    return badFile(
      file,
      'there is no such file.',
      'Check the datalist and the data folder (--dataset_base_dir).',
      error,
    );
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return badFile(file, 'no permission to read it.', 'Give this user read access to the file.', error);
  }
  const reason = error instanceof Error ? error.message : String(error);
  if (code.startsWith('Z_'))
    return badFile(file, `the gzip data are damaged or truncated (${reason}).`, COPY_AGAIN, error);
  return badFile(file, `cannot be read (${reason}).`, 'Check the file and the disk it lies on.', error);
}

async function readHead(handle: FileHandle, length: number): Promise<Uint8Array> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, 0);
  return buffer.subarray(0, bytesRead);
}

async function readPlain(handle: FileHandle, file: string, size: number, fileBytes: number): Promise<BoundedBytes> {
  if (fileBytes < size) throw truncated(file, size, fileBytes);
  const bytes = new Uint8Array(size);
  let filled = 0;
  while (filled < size) {
    const { bytesRead } = await handle.read(bytes, filled, size - filled, filled);
    if (bytesRead === 0) throw truncated(file, size, filled);
    filled += bytesRead;
  }
  return { bytes, trailing: fileBytes - size };
}

interface PackedFile {
  readonly file: string;
  readonly headBytes: number;
  readonly wanted: WantedBytes;
  readonly fileBytes: number;
}

async function readPacked(handle: FileHandle, source: PackedFile): Promise<BoundedBytes> {
  const sink = new BoundedSink(source);
  const packed = handle.createReadStream({ start: 0, highWaterMark: CHUNK_BYTES, autoClose: false });
  const unpacked = createGunzip({ chunkSize: CHUNK_BYTES });
  packed.once('error', (error) => unpacked.destroy(error));
  packed.pipe(unpacked);
  // Not stream.pipeline: it may report its own clean-up in place of the error thrown by the sink.
  try {
    for await (const chunk of unpacked) sink.add(chunk);
  } finally {
    packed.destroy();
  }
  return sink.finish();
}

/** Collects unpacked chunks: first into the head, then, once its size is known, into the result. */
class BoundedSink {
  private readonly source: PackedFile;
  private head: Buffer = Buffer.alloc(0);
  private bytes: Uint8Array | undefined;
  private filled = 0;

  constructor(source: PackedFile) {
    this.source = source;
  }

  add(chunk: Uint8Array): void {
    if (this.bytes !== undefined) {
      this.append(this.bytes, chunk);
    } else {
      this.head = Buffer.concat([this.head, chunk]);
      if (this.head.length >= this.source.headBytes) this.start();
    }
  }

  finish(): BoundedBytes {
    const bytes = this.bytes ?? this.start();
    if (this.filled < bytes.length) throw truncated(this.source.file, bytes.length, this.filled);
    return { bytes, trailing: this.filled - bytes.length };
  }

  private start(): Uint8Array {
    const { file, fileBytes, headBytes, wanted } = this.source;
    const size = wanted(this.head.subarray(0, headBytes));
    const most = fileBytes * DEFLATE_LIMIT;
    if (size > most) throw truncated(file, size, most, 'at most ');
    const bytes = new Uint8Array(size);
    this.bytes = bytes;
    this.append(bytes, this.head);
    return bytes;
  }

  private append(bytes: Uint8Array, chunk: Uint8Array): void {
    const room = bytes.length - this.filled;
    if (room > 0) bytes.set(chunk.length <= room ? chunk : chunk.subarray(0, room), this.filled);
    this.filled += chunk.length;
    if (this.filled > bytes.length + TRAILING_LIMIT) {
      const problem = `unpacks to more than 1 MiB beyond the ${bytes.length} bytes that its header declares.`;
      throw badFile(this.source.file, problem, 'Its dimensions are wrong or it is not an image: export it again.');
    }
  }
}

function truncated(file: string, expected: number, found: number, bound = ''): Error {
  return badFile(file, `truncated: the header declares ${expected} bytes, found ${bound}${found}.`, COPY_AGAIN);
}
