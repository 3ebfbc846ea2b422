/**
 * A connection over a websocket that is open, at either end.
 *
 * @module
 */
import type { WebSocket } from 'ws';
import { maxFrameBytes } from '../../protocol/wire/frame';
import { noteShortLived } from '../../util/collect-garbage';
import { oneLine } from '../../util/one-line';
import { type CloseReason, type Connection, type ConnectionHandler, closeCodes, type Identity } from '../connection';

/** What both ends ask of `ws`. */
export const socketOptions = {
  perMessageDeflate: false,
  maxPayload: maxFrameBytes,
  /** Both ends send a message as one fragment. */
  maxFragments: 64,
  /** Pieces of an unfinished message, as they come out of TLS. */
  maxBufferedChunks: 4096,
  /** Channels have beats of their own. */
  autoPong: false,
  /** How long an end that closes waits for the other one, milliseconds. */
  closeTimeout: 3000,
} as const;

/** Close codes from here on are ours, in the order of `closeCodes`. */
const firstCloseCode = 4000;
/** Longest reason that the protocol carries, bytes. */
const longestReason = 123;

/** @param open makes the handler, before anything is read. */
export function websocketConnection(
  socket: WebSocket,
  peer: Identity,
  open: (connection: Connection) => ConnectionHandler,
): Connection {
  let ended = false;

  const connection: Connection = {
    peer,
    send(parts) {
      if (socket.readyState !== socket.OPEN) return;
      const frame = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
      socket.send(frame);
      noteShortLived(frame.byteLength);
    },
    get bufferedBytes() {
      return ended ? 0 : socket.bufferedAmount;
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close,
  };
  const handler = open(connection);

  function close(reason: CloseReason): void {
    // What was not read for so long will not be read now.
    if (reason.code === 'too-slow' || reason.code === 'silent') socket.terminate();
    else socket.close(firstCloseCode + closeCodes.indexOf(reason.code), shortened(reason.message));
    socket.resume();
    end(reason);
  }

  function end(reason: CloseReason): void {
    if (ended) return;
    ended = true;
    handler.closed(reason);
  }

  socket.on('message', (data: Buffer, isBinary) => {
    if (ended) return;
    if (isBinary) {
      handler.message(data);
      noteShortLived(data.byteLength);
    } else close({ code: 'protocol', message: 'Text came where bytes were due.' });
  });
  socket.on('ping', () => close({ code: 'protocol', message: 'A ping came; beats are messages here.' }));
  socket.on('error', (error) => end(reasonOfError(error, peer.name)));
  socket.on('close', (code, text) => end(reasonOfCode(code, text.toString())));
  return connection;
}

function shortened(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length <= longestReason) return bytes;
  // A letter that was cut in two would not be valid.
  return Buffer.from(bytes.toString('utf8', 0, longestReason - 2).replace(/\ufffd+$/, ''));
}

function reasonOfCode(code: number, text: string): CloseReason {
  const ours = closeCodes[code - firstCloseCode];
  if (ours !== undefined) return { code: ours, message: oneLine(text) };
  if (code === 1009) return { code: 'protocol', message: `A message was longer than ${maxFrameBytes} bytes.` };
  return { code: 'gone', message: 'The connection broke off.' };
}

function reasonOfError(error: Error & { readonly code?: string }, peer: string): CloseReason {
  const code = error.code ?? '';
  if (code.startsWith('WS_ERR_')) {
    return { code: 'protocol', message: `'${peer}' broke the rules of websockets: ${error.message} (${code}).` };
  }
  return { code: 'gone', message: `The connection broke off (${code || error.message}).` };
}
