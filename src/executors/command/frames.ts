/**
 * Frames: how a site and a training program exchange messages over pipes. docs/reference/trainer-protocol.md specifies them.
 *
 *     FF 43 46 01 | header bytes: u32 LE | payload bytes: u64 LE | header: JSON | payload
 *
 * The first byte begins no text, so a program that prints where frames belong is noticed with its first letter.
 *
 * @module
 */
import { DataError } from '../../errors';
import { parseStrictJson, type StrictJson } from '../../util/strict-json';

const magic = Uint8Array.of(0xff, 0x43, 0x46, 0x01);
const prefixBytes = 16;
/** Longest header, either way. */
const maxHeaderBytes = 2 ** 20;

export interface Frame {
  readonly header: StrictJson;
  readonly payload: Uint8Array;
}

/** A frame in pieces; those of the payload are not copied. @throws DataError for a header beyond 1 MiB. */
export function encodeFrame(header: object, payload: readonly Uint8Array[] = []): readonly Uint8Array[] {
  const json = new TextEncoder().encode(JSON.stringify(header));
  if (json.length > maxHeaderBytes) {
    throw new DataError(`The header of a frame has at most ${maxHeaderBytes} bytes, but this one has ${json.length}.`);
  }
  const prefix = new Uint8Array(prefixBytes);
  const view = new DataView(prefix.buffer);
  prefix.set(magic);
  view.setUint32(4, json.length, true);
  view.setBigUint64(8, BigInt(payload.reduce((sum, piece) => sum + piece.byteLength, 0)), true);
  return [prefix, json, ...payload];
}

export interface FrameReaderOptions {
  /** Most payload bytes that a frame with this header may have. Memory is taken only after this was asked. */
  readonly payloadLimit: (header: StrictJson) => number;
  readonly onFrame: (frame: Frame) => void;
}

export interface FrameReader {
  /** Takes bytes as they come. @throws DataError for what is no frame, or too long: nothing can be read after that. */
  push(chunk: Uint8Array): void;
  /** What of a frame is there, in words; `undefined` between two frames. */
  unfinished(): string | undefined;
}

/** Cuts a stream of bytes into frames. */
export function frameReader({ payloadLimit, onFrame }: FrameReaderOptions): FrameReader {
  let part: 'prefix' | 'header' | 'payload' = 'prefix';
  let buffer = new Uint8Array(prefixBytes);
  let filled = 0;
  let payloadBytes = 0;
  let header: StrictJson = null;
  return {
    push(chunk) {
      for (let at = 0; at < chunk.length; ) {
        const taken = Math.min(buffer.length - filled, chunk.length - at);
        buffer.set(chunk.subarray(at, at + taken), filled);
        filled += taken;
        if (part === 'prefix') checkMagic(buffer.subarray(0, filled), chunk.subarray(at));
        at += taken;
        // A part may be empty: the next one follows without a byte.
        while (filled === buffer.length) finishPart();
      }
    },
    unfinished: () =>
      part === 'prefix' && filled === 0 ? undefined : `${filled} of the ${buffer.length} bytes of its ${part}`,
  };

  function finishPart(): void {
    const done = buffer;
    if (part === 'prefix') begin('header', readPrefix(done));
    else if (part === 'header') {
      header = parseHeader(done);
      checkPayload(payloadBytes, payloadLimit(header));
      begin('payload', payloadBytes);
    } else {
      begin('prefix', prefixBytes);
      onFrame({ header, payload: done });
    }
  }

  function begin(next: typeof part, length: number): void {
    part = next;
    buffer = new Uint8Array(length);
    filled = 0;
  }

  function readPrefix(prefix: Uint8Array): number {
    const view = new DataView(prefix.buffer);
    const headerBytes = view.getUint32(4, true);
    payloadBytes = Number(view.getBigUint64(8, true));
    if (headerBytes > 0 && headerBytes <= maxHeaderBytes) return headerBytes;
    throw new DataError(`a frame declares a header of ${headerBytes} bytes; 1 to ${maxHeaderBytes} are accepted`);
  }
}

function checkMagic(start: Uint8Array, chunk: Uint8Array): void {
  if (start.every((byte, i) => i >= magic.length || byte === magic[i])) return;
  const shown = JSON.stringify(Buffer.from(chunk.subarray(0, 60)).toString('utf8'));
  throw new DataError(`something other than a frame came: ${shown}`);
}

function parseHeader(bytes: Uint8Array): StrictJson {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return parseStrictJson(text, { what: 'the header of a frame' });
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError('the header of a frame is not UTF-8', { cause });
  }
}

function checkPayload(bytes: number, limit: number): void {
  if (bytes <= limit) return;
  throw new DataError(`a frame declares a payload of ${bytes} bytes; at most ${limit} are accepted`);
}
