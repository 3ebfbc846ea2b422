/**
 * A channel: messages and blobs over one connection. It numbers frames and notices what was lost, says that it is alive and
 * notices when the other end no longer is, and carries blobs in chunks without letting memory grow.
 *
 * Nothing is sent twice: whatever goes wrong closes the channel, with a reason that says what, and the ends state anew where
 * they are on the next one.
 *
 * @module
 */
import { InternalError } from '../errors';
import type { BlobRef, Message } from '../protocol/wire/messages';
import type { Clock } from '../util/clock';
import type { BlobSink, BlobSource } from './blobs';
import type { CloseReason, Connection, ConnectionHandler, Dialer, Identity } from './connection';

/** What a channel says by itself: that it is alive, farewell, and blobs. */
type OwnMessageType = 'beat' | 'bye' | 'want' | 'unwant' | 'chunk' | 'got' | 'no-blob';
/** What its users say and hear. */
export type ChannelMessage = Exclude<Message, { readonly type: OwnMessageType }>;

export interface ChannelTimes {
  /** Something is sent at least this often. */
  readonly heartbeatMs: number;
  /** An end that was not heard for so long, or took nothing for so long, is given up. */
  readonly deadMs: number;
}

export interface ChannelOptions extends ChannelTimes {
  readonly clock: Clock;
  /**
   * What the first message must be, and how soon: a server waits for `hello`, a site for `welcome`. Anything else closes the
   * channel with code `protocol`, and so does a request for a blob before it.
   */
  readonly opening?: { readonly expect: ChannelMessage['type']; readonly withinMs: number };
  /** The blob that the other end may fetch under this hash. */
  source(sha256: string): BlobSource | undefined;
  /** Messages in order. What it throws closes the channel with code `protocol`. */
  message(message: ChannelMessage): void;
  /** A source could not be read: the other end is told that there is no such blob. */
  unreadable(sha256: string, error: unknown): void;
  /**
   * Once, whoever closed it; also from within `close`. `cause` is what `message` threw.
   */
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
  /** Sends a message. Nothing happens once the channel is closed: whoever cares listens to `closed`. */
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

/** Opens a channel on a connection that has just been made. */
export function openChannel(_connection: Connection, _options: ChannelOptions): OpenedChannel {
  throw new InternalError('Channels are not written yet.');
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
