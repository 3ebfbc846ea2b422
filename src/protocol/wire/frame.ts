/**
 * Frames: what stands in one message of a connection.
 *
 * ```
 * u32 LE  bytes of the header
 * u32 LE  number of the frame: 1, 2, 3, … in each direction of a connection
 * header  a message, JSON in UTF-8
 * bytes   of a chunk; nothing else has any
 * ```
 *
 * Both directions are checked: what is written wrong is a bug here, and says so here.
 *
 * @module
 */
import type { z } from 'zod';
import { DataError, InternalError, ProtocolError } from '../../errors';
import { oneLine } from '../../util/one-line';
import { foundAt } from '../../util/parse-options';
import { parseStrictJson, plainJson } from '../../util/strict-json';
import { carriesBytes, type Message, message as messageSchema } from './messages';

/** Largest header, bytes. */
export const maxHeaderBytes = 1 << 20;
/** Largest chunk, bytes. */
export const maxChunkBytes = 1 << 18;
/** Largest frame, bytes: connections refuse longer messages before they take memory for them. */
export const maxFrameBytes = 8 + maxHeaderBytes + maxChunkBytes;
/** The last number that a frame can have. */
export const maxFrameNumber = 0xffffffff;

/** Deepest nesting in a header: deeper than any settings or parameters need. */
const maxDepth = 32;
const preambleBytes = 8;
const noBytes = new Uint8Array(0);

export interface Frame {
  readonly number: number;
  readonly message: Message;
  /** Of a chunk; shares memory with the frame. */
  readonly bytes: Uint8Array;
}

/** Writes a frame, in parts; `parts` of a chunk are passed on as they are. @throws InternalError for what a reader would refuse. */
export function encodeFrame(
  number: number,
  message: Message,
  parts: readonly Uint8Array[] = [],
): readonly Uint8Array[] {
  const checked = messageSchema.safeParse(message);
  if (!checked.success) throw new InternalError(`A message to send is wrong: ${problemOf(message, checked.error)}.`);
  const text = JSON.stringify(checked.data);
  const header = Buffer.byteLength(text);
  if (header > maxHeaderBytes) {
    throw new InternalError(`A '${message.type}' of ${header} bytes is to be sent, and ${maxHeaderBytes} is the most.`);
  }
  const start = Buffer.allocUnsafe(preambleBytes + header);
  start.writeUInt32LE(header, 0);
  start.writeUInt32LE(number, 4);
  start.write(text, preambleBytes);
  return [start, ...parts];
}

/** Reads a frame. @throws ProtocolError for anything but a whole valid one. */
export function decodeFrame(frame: Uint8Array): Frame {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  if (bytes.length > maxFrameBytes) throw broken(`it has ${bytes.length} bytes, and ${maxFrameBytes} is the most`);
  if (bytes.length < preambleBytes) throw broken(`it has ${bytes.length} bytes, and ${preambleBytes} is the least`);
  const header = bytes.readUInt32LE(0);
  if (header > maxHeaderBytes) throw broken(`its header claims ${header} bytes, and ${maxHeaderBytes} is the most`);
  const end = preambleBytes + header;
  if (end > bytes.length) throw broken(`its header claims ${header} bytes, and ${bytes.length - preambleBytes} follow`);
  const message = readMessage(bytes.subarray(preambleBytes, end));
  const rest = end === bytes.length ? noBytes : bytes.subarray(end);
  checkBytes(message, rest.length);
  return { number: bytes.readUInt32LE(4), message, bytes: rest };
}

function readMessage(header: Uint8Array): Message {
  const found = parseHeader(header);
  const parsed = messageSchema.safeParse(found);
  if (!parsed.success) throw new ProtocolError(`A message is wrong: ${problemOf(found, parsed.error)}.`, { hint });
  return parsed.data;
}

function checkBytes(message: Message, length: number): void {
  const carries = carriesBytes.has(message.type);
  if (carries && length === 0) throw broken(`a '${message.type}' has no bytes`);
  if (!carries && length > 0) throw broken(`${length} bytes follow a '${message.type}', which has none`);
  if (length > maxChunkBytes) throw broken(`a chunk has ${length} bytes, and ${maxChunkBytes} is the most`);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function parseHeader(header: Uint8Array): unknown {
  try {
    return plainJson(parseStrictJson(utf8.decode(header), { what: 'the header', maxDepth }), 'the header');
  } catch (error) {
    if (error instanceof DataError) throw broken(error.message.replace(/\.$/, ''));
    throw broken('its header is not UTF-8');
  }
}

/** The first thing that is wrong: where, what was expected and what is there; what is quoted is somebody else's. */
function problemOf(found: unknown, error: z.ZodError): string {
  const { path, message } = error.issues[0]!;
  const { type } = (found ?? {}) as { readonly type?: unknown };
  const kind = typeof type === 'string' ? `'${type.slice(0, 40)}'` : 'it';
  const where = path.length === 0 ? kind : `'${path.join('.').slice(0, 80)}' of ${kind}`;
  return oneLine(`${where}: ${message.slice(0, 200)}${foundAt(found, path)}`);
}

const hint =
  'Are both ends of versions that belong together? A message that was changed on its way looks like this, too.';

function broken(why: string): ProtocolError {
  return new ProtocolError(`A frame is broken: ${oneLine(why)}.`, { hint });
}
