/**
 * The sending side of blobs on a channel: streams that the other end asked for, in turn, a chunk at a time. Memory is bounded
 * by the window of each stream and by what the connection may hold; whoever has to wait waits for a `got`.
 *
 * @module
 */
import { InternalError, ProtocolError } from '../errors';
import { maxChunkBytes } from '../protocol/wire/frame';
import type { MessageOf } from '../protocol/wire/messages';
import { crc32 } from '../util/crc';
import { failpoint } from '../util/failpoint';
import type { BlobSource } from './blobs';
import type { WindowShare } from './window-share';

/** No chunk is handed to a connection that holds so many bytes already. */
const fullBytes = 8 << 20;
/** What is read at once at most, bytes: a call costs a disk as much time as some hundred kilobytes. */
const readBytes = 1 << 20;
/** Most streams that one other end may have open. */
const maxStreams = 64;

export interface BlobSenderPort {
  readonly bufferedBytes: number;
  readonly share: WindowShare;
  source(sha256: string): BlobSource | undefined;
  send(message: MessageOf<'chunk' | 'no-blob'>, parts?: readonly Uint8Array[]): void;
  unreadable(sha256: string, error: unknown): void;
}

export interface BlobSender {
  /** What the other end says. @throws ProtocolError for what makes no sense. */
  want(message: MessageOf<'want'>): void;
  unwant(message: MessageOf<'unwant'>): void;
  got(message: MessageOf<'got'>): void;
  /** Sends what may be sent now. */
  pump(): void;
  /** Sends nothing any more. */
  stop(): void;
}

interface Stream {
  readonly id: number;
  readonly source: BlobSource;
  sent: number;
  acknowledged: number;
  /** What is read and not sent yet. */
  ahead: readonly Uint8Array[];
  /** The next bytes are being read. */
  reading: boolean;
}

export function blobSender(port: BlobSenderPort): BlobSender {
  const streams = new Map<number, Stream>();
  let last = 0;

  function pump(): void {
    for (let sent = true; sent; ) {
      sent = false;
      for (const stream of streams.values()) {
        if (!maySend(stream)) continue;
        sendNext(stream);
        sent = true;
      }
    }
  }

  function maySend({ reading, source, sent, acknowledged }: Stream): boolean {
    const inWindow = sent + maxChunkBytes <= acknowledged + port.share.bytes;
    return !reading && inWindow && sent < source.ref.size && port.bufferedBytes < fullBytes;
  }

  function sendNext(stream: Stream): void {
    try {
      if (stream.ahead.length > 0) sendChunk(stream);
      else read(stream);
    } catch (error) {
      giveUp(stream, error);
    }
  }

  function read(stream: Stream): void {
    const { source, sent } = stream;
    // Not more than half of what may be under way: what many streams have read and not sent takes memory, too.
    const chunks = Math.max(1, Math.floor(port.share.bytes / 2 / maxChunkBytes));
    const length = Math.min(source.ref.size - sent, readBytes, chunks * maxChunkBytes);
    const parts = source.read(sent, length);
    if (parts instanceof Promise) sendOnceRead(stream, length, parts);
    else sendRead(stream, length, parts);
  }

  function sendOnceRead(stream: Stream, length: number, reading: Promise<readonly Uint8Array[]>): void {
    stream.reading = true;
    reading
      .then((parts) => {
        stream.reading = false;
        if (streams.has(stream.id)) sendRead(stream, length, parts);
      })
      .catch((error: unknown) => giveUp(stream, error))
      .then(pump);
  }

  function sendRead(stream: Stream, expected: number, parts: readonly Uint8Array[]): void {
    const length = bytesIn(parts);
    if (length !== expected) throw new InternalError(`A blob was to give ${expected} bytes and gave ${length}.`);
    stream.ahead = parts;
    sendChunk(stream);
  }

  function sendChunk(stream: Stream): void {
    const { id, source, sent } = stream;
    const length = Math.min(maxChunkBytes, source.ref.size - sent);
    const [parts, rest] = cut(stream.ahead, length);
    stream.ahead = rest;
    const crc = parts.reduce((before, part) => crc32(part, before), 0);
    stream.sent += length;
    port.send({ type: 'chunk', stream: id, offset: sent, crc }, parts);
    failpoint('chunk-sent', `${source.ref.size} ${sent}`);
  }

  function giveUp(stream: Stream, error: unknown): void {
    if (!end(stream.id)) return;
    port.send({ type: 'no-blob', stream: stream.id });
    port.unreadable(stream.source.ref.sha256, error);
  }

  function end(id: number): boolean {
    const had = streams.delete(id);
    if (had) port.share.end();
    return had;
  }

  return {
    pump,
    want({ stream: id, blob, offset }) {
      if (id !== last + 1) throw new ProtocolError(`Stream ${last + 1} was to come next, and ${id} came.`);
      if (streams.size >= maxStreams) throw new ProtocolError(`More than ${maxStreams} blobs are wanted at one time.`);
      if (offset >= blob.size) throw new ProtocolError(`A blob of ${blob.size} bytes was asked for from ${offset} on.`);
      last = id;
      const source = port.source(blob.sha256);
      if (source?.ref.size === blob.size) {
        streams.set(id, { id, source, sent: offset, acknowledged: offset, ahead: [], reading: false });
        port.share.begin();
      } else port.send({ type: 'no-blob', stream: id });
      pump();
    },
    unwant({ stream: id }) {
      checkKnown(id);
      end(id);
    },
    got({ stream: id, offset }) {
      checkKnown(id);
      const stream = streams.get(id);
      if (stream === undefined) return;
      const { acknowledged, sent, source } = stream;
      if (offset < acknowledged || offset > sent) {
        throw new ProtocolError(`Byte ${offset} of a blob was acknowledged; ${acknowledged} to ${sent} are under way.`);
      }
      stream.acknowledged = offset;
      if (offset === source.ref.size) end(id);
      pump();
    },
    stop() {
      for (const id of streams.keys()) end(id);
    },
  };

  /** What comes for a stream that has ended crossed its end on the way. */
  function checkKnown(id: number): void {
    if (id > last) throw new ProtocolError(`Stream ${id} was never asked for.`);
  }
}

function bytesIn(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/** The first `length` bytes, and the rest. */
function cut(parts: readonly Uint8Array[], length: number): readonly [readonly Uint8Array[], readonly Uint8Array[]] {
  const first: Uint8Array[] = [];
  let missing = length;
  for (const [i, part] of parts.entries()) {
    if (missing < part.byteLength) {
      if (missing > 0) first.push(part.subarray(0, missing));
      return [first, [part.subarray(missing), ...parts.slice(i + 1)]];
    }
    first.push(part);
    missing -= part.byteLength;
  }
  return [first, []];
}
