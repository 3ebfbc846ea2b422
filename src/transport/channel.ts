/**
 * A channel: messages and blobs over one connection. It numbers frames and notices what was lost, says that it is alive and
 * notices when the other end no longer is, and carries blobs in chunks without letting memory grow.
 *
 * Nothing is sent twice: whatever goes wrong closes the channel, with a reason that says what, and the ends state anew where
 * they are on the next one.
 *
 * @module
 */
import { ConnectError, isConsiliumError, ProtocolError } from '../errors';
import { decodeFrame, encodeFrame, maxFrameNumber } from '../protocol/wire/frame';
import type { BlobRef, Message, MessageOf } from '../protocol/wire/messages';
import type { Clock } from '../util/clock';
import { blobReceiver } from './blob-receiver';
import { blobSender } from './blob-sender';
import type { BlobSink, BlobSource } from './blobs';
import type { CloseReason, Connection, ConnectionHandler, Dialer, Identity } from './connection';
import { closeCodes } from './connection';
import { messageBudget } from './message-budget';
import { type PulseTimes, startPulse, type Vitals } from './pulse';
import { type WindowShare, windowShare } from './window-share';

/** What a channel says by itself: that it is alive, farewell, and blobs. */
type OwnMessageType = 'beat' | 'bye' | 'want' | 'unwant' | 'chunk' | 'got' | 'no-blob';
/** What its users say and hear. */
export type ChannelMessage = Exclude<Message, { readonly type: OwnMessageType }>;

export type ChannelTimes = PulseTimes;

export interface ChannelOptions extends ChannelTimes {
  readonly clock: Clock;
  /**
   * What the first message must be, and how soon: a server waits for `hello`, a site for `welcome`. Anything else closes the
   * channel with code `protocol`, and so does a request for a blob before it.
   */
  readonly opening?: { readonly expect: ChannelMessage['type']; readonly withinMs: number };
  /** Shared by the channels of one process that send blobs at one time. @default its own */
  readonly share?: WindowShare;
  /** The blob that the other end may fetch under this hash. */
  source(sha256: string): BlobSource | undefined;
  /** Messages in order. What it throws closes the channel with code `protocol`. */
  message(message: ChannelMessage): void;
  /** A source could not be read: the other end is told that there is no such blob. */
  unreadable(sha256: string, error: unknown): void;
  /** Once, whoever closed it; also from within `close` and `send`. `cause` is what `message` threw. */
  closed(reason: CloseReason, cause?: unknown): void;
}

export interface ChannelStats {
  readonly framesIn: number;
  readonly framesOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Frames with a number that was there already: dropped. */
  readonly duplicates: number;
  /** Chunks whose checksum was wrong: asked for again. */
  readonly badChunks: number;
}

export interface Channel {
  readonly peer: Identity;
  readonly open: boolean;
  readonly stats: ChannelStats;
  /**
   * Sends a message. Nothing happens once the channel is closed: whoever cares listens to `closed`.
   * @throws InternalError for a message that the other end would refuse, such as a text that is too long.
   */
  send(message: ChannelMessage): void;
  /**
   * Fetches a blob of the other end into the sink, after what is there already, and checks its hash.
   * Rejects with the signal's reason; ConnectError when the channel closes; ProtocolError when there is no such blob or its
   * content is wrong, twice; and what the sink throws. What has arrived stays in the sink.
   */
  fetch(ref: BlobRef, sink: BlobSink, signal: AbortSignal): Promise<void>;
  /** Tells the other end why, and ends it. */
  close(reason: CloseReason): void;
  setTimes(times: ChannelTimes): void;
}

export interface OpenedChannel {
  readonly channel: Channel;
  /** What the connection is to call. */
  readonly handler: ConnectionHandler;
}

/** A connection that holds so many bytes is given up at once: the other end reads too little of what it is told. */
const overfullBytes = 64 << 20;
/** Longest reason and hint that a `bye` carries, characters. */
const longestReason = 2000;

/** Opens a channel on a connection that has just been made. */
export function openChannel(connection: Connection, options: ChannelOptions): OpenedChannel {
  const { clock, opening } = options;
  const peer = connection.peer.name;
  const stats = { framesIn: 0, framesOut: 0, bytesIn: 0, bytesOut: 0, duplicates: 0, badChunks: 0 };
  let open = true;
  /** Whether the first message has come that `opening` asks for. */
  let begun = opening === undefined;
  let acknowledgements = 0;

  const budget = messageBudget(clock, connection);
  const receiver = blobReceiver({ peer, send, damaged: () => stats.badChunks++ });
  const sender = blobSender({
    get bufferedBytes() {
      return connection.bufferedBytes;
    },
    share: options.share ?? windowShare(),
    source: (sha256) => options.source(sha256),
    unreadable: (sha256, error) => options.unreadable(sha256, error),
    send,
  });
  const pulse = startPulse(
    { peer, clock, vitals, dead: close, beat: () => send({ type: 'beat' }), look: () => sender.pump() },
    options,
  );
  const cancelOpening = opening === undefined ? undefined : afterAwake(clock, opening.withinMs, tooLate);

  function vitals(): Vitals {
    const { bufferedBytes } = connection;
    const { chunks, waiting } = receiver;
    const takenBytes = stats.bytesOut - bufferedBytes;
    return { bufferedBytes, takenBytes, acknowledgements, chunks, owed: waiting, paused: budget.spent };
  }

  function send(message: Message, parts?: readonly Uint8Array[]): void {
    if (!open) return;
    write(message, parts);
    if (connection.bufferedBytes > overfullBytes) {
      close({ code: 'too-slow', message: `'${peer}' left ${overfullBytes} bytes of what it is sent unread.` });
    } else if (stats.framesOut === maxFrameNumber - 1) {
      close({ code: 'gone', message: 'The numbers of the frames are used up.' });
    }
  }

  function write(message: Message, parts?: readonly Uint8Array[]): void {
    const frame = encodeFrame(stats.framesOut + 1, message, parts);
    stats.framesOut++;
    for (const part of frame) stats.bytesOut += part.byteLength;
    pulse.said();
    connection.send(frame);
  }

  function receive(bytes: Uint8Array): void {
    if (!open) return;
    stats.bytesIn += bytes.byteLength;
    try {
      const { number, message, bytes: chunk } = decodeFrame(bytes);
      if (isNext(number)) handle(message, chunk);
    } catch (error) {
      close(reasonOf(error), error);
    }
  }

  /** Whether the frame is the next one; one that came before is not. @throws ProtocolError when frames are missing. */
  function isNext(number: number): boolean {
    const expected = stats.framesIn + 1;
    if (number > expected) throw lostFrames(peer, expected, number - 1);
    if (number < expected) {
      stats.duplicates++;
      budget.spend();
      return false;
    }
    stats.framesIn++;
    pulse.heard();
    return true;
  }

  function handle(message: Message, chunk: Uint8Array): void {
    switch (message.type) {
      case 'chunk':
        receiver.chunk(message, chunk);
        break;
      case 'got':
        acknowledgements++;
        sender.got(message);
        break;
      default:
        budget.spend();
        handleFew(message);
    }
  }

  /** What nobody needs to say often. */
  function handleFew(message: Exclude<Message, { readonly type: 'chunk' | 'got' }>): void {
    if (message.type !== 'beat' && message.type !== 'bye') begin(message);
    switch (message.type) {
      case 'beat':
        break;
      case 'bye':
        leave(reasonIn(message));
        break;
      case 'want':
        sender.want(message);
        break;
      case 'unwant':
        sender.unwant(message);
        break;
      case 'no-blob':
        receiver.noBlob(message);
        break;
      default:
        options.message(message);
    }
  }

  function begin({ type }: Message): void {
    if (begun) return;
    if (type !== opening!.expect)
      throw new ProtocolError(`A '${opening!.expect}' was to come first, and a '${type}' came.`);
    begun = true;
    cancelOpening!();
  }

  function tooLate(): void {
    const { expect, withinMs } = opening!;
    close({ code: 'protocol', message: `No '${expect}' came from '${peer}' within ${withinMs / 1000} s.` });
  }

  function close(reason: CloseReason, cause?: unknown): void {
    if (!open) return;
    const { code, message, hint } = reason;
    const said = { type: 'bye', code, message: message.slice(0, longestReason) } as const;
    write(hint === undefined ? said : { ...said, hint: hint.slice(0, longestReason) });
    leave(reason, cause);
  }

  function leave(reason: CloseReason, cause?: unknown): void {
    if (!open) return;
    connection.close(reason);
    end(reason, cause);
  }

  function end(reason: CloseReason, cause?: unknown): void {
    if (!open) return;
    open = false;
    cancelOpening?.();
    pulse.stop();
    budget.stop();
    sender.stop();
    receiver.stop(connectionEnded(peer, reason));
    options.closed(reason, cause);
  }

  const channel: Channel = {
    peer: connection.peer,
    get open() {
      return open;
    },
    stats,
    send: (message) => send(message),
    fetch: (ref, sink, signal) => receiver.fetch(ref, sink, signal),
    close: (reason) => close(reason),
    setTimes: (times) => pulse.setTimes(times),
  };
  return { channel, handler: { message: receive, closed: (reason) => end(reason) } };
}

/** Calls `act` after a while in which this process ran: a call that is late because it could not is put off. */
function afterAwake(clock: Clock, ms: number, act: () => void): () => void {
  const due = clock.monotonicMs() + ms;
  let cancel = clock.after(ms, () => {
    const lateMs = clock.monotonicMs() - due;
    if (lateMs < ms / 10) act();
    else cancel = afterAwake(clock, ms / 10, act);
  });
  return () => cancel();
}

function reasonIn({ code, message, hint }: MessageOf<'bye'>): CloseReason {
  const known = closeCodes.find((one) => one === code) ?? 'gone';
  return hint === undefined ? { code: known, message } : { code: known, message, hint };
}

/** What the other end is told of an error: nothing of one that is not meant for people. */
function reasonOf(error: unknown): CloseReason {
  if (!isConsiliumError(error))
    return { code: 'protocol', message: 'A message could not be handled, by an error here.' };
  const { message, hint } = error;
  return hint === undefined ? { code: 'protocol', message } : { code: 'protocol', message, hint };
}

function lostFrames(peer: string, first: number, last: number): ProtocolError {
  const which = first === last ? `Frame ${first}` : `Frames ${first} to ${last}`;
  return new ProtocolError(`${which} from '${peer}' did not arrive.`, { hint: 'A new connection is made by itself.' });
}

function connectionEnded(peer: string, { message, hint }: CloseReason): ConnectError {
  return new ConnectError(`The connection to '${peer}' ended: ${message}`, hint === undefined ? {} : { hint });
}

/** Dials and opens a channel. Rejects as `Dialer.dial` does. */
export async function dialChannel(dialer: Dialer, options: ChannelOptions, signal: AbortSignal): Promise<Channel> {
  let channel: Channel | undefined;
  await dialer.dial((connection) => {
    const opened = openChannel(connection, options);
    channel = opened.channel;
    return opened.handler;
  }, signal);
  return channel!;
}
