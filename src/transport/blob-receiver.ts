/**
 * The receiving side of blobs on a channel: asks, checks every chunk as it comes, writes in order, acknowledges what is
 * written, and checks the hash of the whole.
 *
 * @module
 */
import { createHash, type Hash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { type ConnectError, ProtocolError } from '../errors';
import { maxChunkBytes } from '../protocol/wire/frame';
import type { BlobRef, MessageOf } from '../protocol/wire/messages';
import { crc32 } from '../util/crc';
import type { BlobSink } from './blobs';
import { windowBytes } from './window-share';

/** Damaged chunks in a row after which a fetch is given up. */
const mostDamaged = 8;
/** What is written is acknowledged at least so often, bytes. */
const acknowledgeBytes = 1 << 20;
/** Most chunks that are written at once: a call costs a disk as much time as some hundred kilobytes. */
const writeChunks = 4;

export interface BlobReceiverPort {
  /** Name of the other end, for messages. */
  readonly peer: string;
  send(message: MessageOf<'want' | 'unwant' | 'got'>): void;
  damaged(): void;
}

export interface BlobReceiver {
  /** See `Channel.fetch`. */
  fetch(ref: BlobRef, sink: BlobSink, signal: AbortSignal): Promise<void>;
  /** What the other end says. @throws ProtocolError for what makes no sense. */
  chunk(message: MessageOf<'chunk'>, bytes: Uint8Array): void;
  noBlob(message: MessageOf<'no-blob'>): void;
  /** Chunks that came so far. */
  readonly chunks: number;
  /** Whether it is the other end's turn: something is wanted, and all that came is written. */
  readonly waiting: boolean;
  /** Nothing will come any more. */
  stop(error: ConnectError): void;
}

/** A blob that is coming in. */
interface Download {
  readonly ref: BlobRef;
  readonly sink: BlobSink;
  readonly hash: Hash;
  /** Its stream; a new one after a damaged chunk. */
  stream: number;
  /** The next byte to come. */
  at: number;
  /** Bytes that are written, and those of them that were acknowledged. */
  written: number;
  acknowledged: number;
  /** What came and is not written yet; the first of it is being written. Empty once the download has ended. */
  readonly queue: Uint8Array[];
  /** Settles when nothing is being written. */
  writing: Promise<void>;
  damagedInARow: number;
}

/** How a download ends. */
interface Ending {
  resolve(): void;
  reject(error: unknown): void;
}

export function blobReceiver(port: BlobReceiverPort): BlobReceiver {
  const downloads = new Map<Download, Ending>();
  const streams = new Map<number, Download>();
  let last = 0;
  let chunks = 0;
  /** Chunks that may still come for streams that were given up. */
  let late = 0;
  let stopped: ConnectError | undefined;

  async function fetch(ref: BlobRef, sink: BlobSink, signal: AbortSignal): Promise<void> {
    try {
      for (let attempt = 0; attempt < 2; attempt++) {
        if (await receive(ref, sink, signal)) return await sink.finish();
        await sink.discard();
      }
    } finally {
      await sink.close();
    }
    const message = `'${port.peer}' sent other bytes than the blob ${ref.sha256.slice(0, 12)}… has, twice.`;
    throw new ProtocolError(message, { hint: `Is a file damaged, or the memory or disk, at '${port.peer}' or here?` });
  }

  /** Takes what is missing. @returns whether the hash is right. */
  async function receive(ref: BlobRef, sink: BlobSink, signal: AbortSignal): Promise<boolean> {
    if ((await sink.have()) > ref.size) await sink.discard();
    const hash = createHash('sha256');
    let at = 0;
    for await (const piece of sink.prefix()) {
      signal.throwIfAborted();
      hash.update(piece);
      at += piece.byteLength;
    }
    signal.throwIfAborted();
    if (stopped !== undefined) throw stopped;
    if (at < ref.size) await download(newDownload(ref, sink, hash, at), signal);
    return hash.digest('hex') === ref.sha256;
  }

  /** Asks for the rest and waits for it, and for the last write whatever happens. */
  async function download(one: Download, signal: AbortSignal): Promise<void> {
    const abort = () => fail(one, signal.reason);
    setMaxListeners(0, signal); // One for each fetch under way, and they go with it.
    try {
      await new Promise<void>((resolve, reject) => {
        downloads.set(one, { resolve, reject });
        signal.addEventListener('abort', abort, { once: true });
        ask(one);
      });
    } finally {
      signal.removeEventListener('abort', abort);
      await one.writing;
    }
  }

  function ask(one: Download): void {
    one.stream = ++last;
    streams.set(one.stream, one);
    port.send({ type: 'want', stream: one.stream, blob: one.ref, offset: one.at });
  }

  function endStream({ stream }: Download): void {
    if (!streams.delete(stream)) return;
    late += windowBytes / maxChunkBytes;
    port.send({ type: 'unwant', stream });
  }

  function fail(one: Download, error: unknown): void {
    one.queue.length = 0;
    endStream(one);
    downloads.get(one)?.reject(error);
    downloads.delete(one);
  }

  function chunk({ stream, offset, crc }: MessageOf<'chunk'>, bytes: Uint8Array): void {
    chunks++;
    const one = streams.get(stream);
    if (one === undefined) dropLate(stream);
    else if (isWhole(one, offset, bytes, crc)) take(one, bytes);
    else askAgain(one);
  }

  function take(one: Download, bytes: Uint8Array): void {
    one.damagedInARow = 0;
    one.hash.update(bytes);
    one.at += bytes.byteLength;
    one.queue.push(bytes);
    if (one.queue.length === 1) one.writing = write(one).catch((error) => fail(one, error));
  }

  function dropLate(stream: number): void {
    checkKnown(stream);
    if (--late < 0) throw new ProtocolError('Chunks keep coming of a blob that is no longer wanted.');
  }

  function checkKnown(stream: number): void {
    if (stream > last) throw new ProtocolError(`Something came of stream ${stream}, which was never asked for.`);
  }

  /** The bytes that follow a damaged chunk are under way already: they are dropped, and come again. */
  function askAgain(one: Download): void {
    port.damaged();
    one.damagedInARow++;
    if (one.damagedInARow === mostDamaged) {
      fail(one, damaged(port.peer));
      return;
    }
    endStream(one);
    void one.writing.then(() => {
      if (downloads.has(one)) ask(one);
    });
  }

  async function write(one: Download): Promise<void> {
    while (one.queue.length > 0) {
      const pieces = one.queue.slice(0, writeChunks);
      await one.sink.write(pieces, one.written);
      if (!downloads.has(one)) return;
      one.queue.splice(0, pieces.length);
      for (const { byteLength } of pieces) one.written += byteLength;
      acknowledge(one);
    }
  }

  function acknowledge(one: Download): void {
    const { stream, written, ref, queue } = one;
    if (queue.length > 0 && written - one.acknowledged < acknowledgeBytes) return;
    one.acknowledged = written;
    if (!streams.has(stream)) return;
    port.send({ type: 'got', stream, offset: written });
    if (written < ref.size) return;
    streams.delete(stream);
    downloads.get(one)?.resolve();
    downloads.delete(one);
  }

  return {
    fetch,
    chunk,
    noBlob({ stream }) {
      checkKnown(stream);
      const one = streams.get(stream);
      if (one === undefined) return;
      streams.delete(stream);
      fail(one, noSuchBlob(port.peer, one.ref));
    },
    get chunks() {
      return chunks;
    },
    get waiting() {
      return streams.size > 0 && [...streams.values()].every(({ queue }) => queue.length === 0);
    },
    stop(error) {
      stopped = error;
      streams.clear();
      for (const one of downloads.keys()) fail(one, error);
    },
  };
}

function newDownload(ref: BlobRef, sink: BlobSink, hash: Hash, at: number): Download {
  const none = { stream: 0, queue: [], writing: Promise.resolve(), damagedInARow: 0 };
  return { ref, sink, hash, at, written: at, acknowledged: at, ...none };
}

/**
 * Whether the bytes are those that were sent. @throws ProtocolError unless chunks come in order and as long as they may be,
 * and no more of them than the window takes.
 */
function isWhole({ ref, at, acknowledged }: Download, offset: number, bytes: Uint8Array, crc: number): boolean {
  const length = bytes.byteLength;
  if (offset !== at)
    throw new ProtocolError(`The chunk at byte ${at} was to come next, and the one at ${offset} came.`);
  const expected = Math.min(maxChunkBytes, ref.size - at);
  if (length !== expected) throw new ProtocolError(`A chunk was to have ${expected} bytes and has ${length}.`);
  if (at + length > acknowledged + windowBytes) {
    throw new ProtocolError(`More than ${windowBytes} bytes of a blob came that were not acknowledged.`);
  }
  return crc32(bytes) === crc;
}

function damaged(peer: string): ProtocolError {
  const message = `${mostDamaged} chunks in a row from '${peer}' arrived damaged.`;
  return new ProtocolError(message, { hint: 'Something on the way changes bytes: a proxy, or bad memory.' });
}

function noSuchBlob(peer: string, { sha256, size }: BlobRef): ProtocolError {
  const message = `'${peer}' has no blob ${sha256.slice(0, 12)}… of ${size} bytes, or cannot read it.`;
  return new ProtocolError(message, { hint: `The log of '${peer}' says more.` });
}
