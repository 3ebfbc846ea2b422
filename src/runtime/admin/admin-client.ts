/**
 * A person's end of the connection to a server: asks, and fetches and gives files.
 *
 * @module
 */
import { ConnectError, errorFromData, isConsiliumError, isErrorTag, ProtocolError } from '../../errors';
import { type AdminMethod, type AdminParams, type AdminResult, adminMethods } from '../../protocol/admin-api';
import { type BlobRef, type MessageOf, protocolVersion } from '../../protocol/wire/messages';
import type { BlobSink, BlobSource } from '../../transport/blobs';
import { type ChannelMessage, dialChannel } from '../../transport/channel';
import type { CloseReason, Dialer } from '../../transport/connection';
import { websocketDialer } from '../../transport/websocket/client';
import { type Clock, nodeClock } from '../../util/clock';
import type { Json } from '../../util/json';
import { oneLine } from '../../util/one-line';
import type { Kit } from '../provision/kit';
import { versions } from '../versions';

export interface AdminClient {
  /** Asks for one thing. @throws what the server answers; ConnectError when the connection ends first. */
  call<M extends AdminMethod>(method: M, params: AdminParams<M>, signal?: AbortSignal): Promise<AdminResult<M>>;
  /** Asks for a list, page by page, or for something that goes on. Who stops reading calls it off. */
  pages<M extends AdminMethod>(method: M, params: AdminParams<M>): AsyncGenerator<AdminResult<M>, void>;
  /** Fetches a file that the server has offered. */
  fetch(ref: BlobRef, sink: BlobSink, signal: AbortSignal): Promise<void>;
  /** Lets the server fetch a file, until the client is closed. */
  offer(source: BlobSource): void;
  close(): void;
}

export interface AdminClientOptions {
  readonly dialer: Dialer;
  /** @default this machine's */
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
}

/** Connects with the kit of a person: to the first of the server's addresses that answers. @throws ConnectError of the first. */
export async function connectWithKit(kit: Kit, signal?: AbortSignal): Promise<AdminClient> {
  const { hosts, adminPort } = kit.server;
  let first: unknown;
  for (const host of hosts) {
    const address = `wss://${host.includes(':') ? `[${host}]` : host}:${adminPort}`;
    const dialer = websocketDialer({ address, credentials: kit.tls });
    try {
      return await connectAdmin({ dialer, ...(signal && { signal }) });
    } catch (error) {
      if (!isConsiliumError(error, 'ConnectError')) throw error;
      first ??= error;
    }
  }
  throw first;
}

/** @throws ConnectError when there is no connection, or the server does not take it. */
export async function connectAdmin({
  dialer,
  clock = nodeClock,
  signal = new AbortController().signal,
}: AdminClientOptions): Promise<AdminClient> {
  const waiting = new Map<number, Waiting>();
  const offered = new Map<string, BlobSource>();
  let requests = 0;
  let ended: ConnectError | undefined;
  let welcomed = (_: MessageOf<'welcome'>) => {};
  let refused = (_: unknown) => {};
  const welcome = new Promise<MessageOf<'welcome'>>((resolve, reject) => {
    welcomed = resolve;
    refused = reject;
  });
  welcome.catch(() => {}); // Awaited below, unless dialling itself fails.
  const times = { heartbeatMs: 10_000, deadMs: 60_000 };
  const channel = await dialChannel(
    dialer,
    {
      clock,
      ...times,
      opening: { expect: 'welcome', withinMs: 10_000 },
      source: (sha256) => offered.get(sha256),
      unreadable: (_, error) => refuseAll(error),
      message: receive,
      closed(reason) {
        ended = connectionEnded(reason);
        refused(ended);
        refuseAll(ended);
      },
    },
    signal,
  );
  const software = `consilium ${versions().consilium}`;
  channel.send({ type: 'hello', protocols: [protocolVersion], software, boot: String(process.pid) });
  channel.setTimes(await welcome);
  return {
    async call(method, params, stop) {
      for await (const result of ask(method, params, stop)) return result;
      throw new ProtocolError(`The server did not answer '${method}'.`);
    },
    pages: ask,
    fetch: (ref, sink, stop) => channel.fetch(ref, sink, stop),
    offer: (source) => void offered.set(source.ref.sha256, source),
    close: () => channel.close({ code: 'gone', message: 'Done.' }),
  };

  function receive(message: ChannelMessage): void {
    if (message.type === 'welcome') welcomed(message);
    else if (message.type === 'response') waiting.get(message.id)?.put(message);
    else throw new ProtocolError(`A server does not send '${message.type}' to people.`);
  }

  function refuseAll(error: unknown): void {
    for (const { fail } of waiting.values()) fail(error);
  }

  async function* ask<M extends AdminMethod>(
    method: M,
    params: AdminParams<M>,
    stop?: AbortSignal,
  ): AsyncGenerator<AdminResult<M>, void> {
    if (ended) throw ended;
    stop?.throwIfAborted();
    const id = requests++;
    const answer = responses();
    const abort = () => answer.fail(stop!.reason);
    stop?.addEventListener('abort', abort, { once: true });
    waiting.set(id, answer);
    channel.send({ type: 'request', id, method, params: JSON.parse(JSON.stringify(params)) as Json });
    let isOver = false;
    try {
      while (!isOver) {
        const { result, error, more } = await answer.next();
        isOver = more !== true;
        if (error) throw errorOf(error);
        if (result !== undefined) yield parseResult(method, result);
      }
    } finally {
      stop?.removeEventListener('abort', abort);
      waiting.delete(id);
      if (!isOver && channel.open) channel.send({ type: 'cancel', id });
    }
  }
}

/** Responses to one request that have come. */
interface Waiting {
  put(response: MessageOf<'response'>): void;
  fail(error: unknown): void;
  next(): Promise<MessageOf<'response'>>;
}

function responses(): Waiting {
  const queue: MessageOf<'response'>[] = [];
  let failure: { readonly error: unknown } | undefined;
  let wake = () => {};
  return {
    put(response) {
      queue.push(response);
      wake();
    },
    fail(error) {
      failure ??= { error };
      wake();
    },
    async next() {
      while (queue.length === 0) {
        if (failure) throw failure.error;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return queue.shift()!;
    },
  };
}

function parseResult<M extends AdminMethod>(method: M, result: Json): AdminResult<M> {
  const parsed = adminMethods[method].result.safeParse(result);
  if (parsed.success) return parsed.data as AdminResult<M>;
  const [issue] = parsed.error.issues;
  const what = oneLine(`${issue?.path.join('.')}: ${issue?.message}`);
  throw new ProtocolError(`The server's answer to '${method}' is not one: ${what}.`, {
    hint: 'Install the same release at both ends.',
  });
}

function errorOf({ tag, message, hint }: NonNullable<MessageOf<'response'>['error']>) {
  const known = isErrorTag(tag) ? tag : 'InternalError';
  return errorFromData({ tag: known, message, hint, stack: undefined });
}

function connectionEnded({ message, hint }: CloseReason): ConnectError {
  return new ConnectError(`The connection to the server ended: ${message}`, hint === undefined ? {} : { hint });
}
