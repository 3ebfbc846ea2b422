/**
 * Connections of people: who they are and what they ask for, one channel each.
 *
 * @module
 */
import { errorToData, isConsiliumError, ProtocolError, RefusedError } from '../../errors';
import { type AdminMethod, adminMethods, isAdminMethod } from '../../protocol/admin-api';
import { type MessageOf, protocolVersion } from '../../protocol/wire/messages';
import type { BlobSource } from '../../transport/blobs';
import { type Channel, type ChannelMessage, openChannel } from '../../transport/channel';
import type { CloseReason, Connection, ConnectionHandler } from '../../transport/connection';
import { wrongVersion } from '../../transport/hub';
import { type Json, json } from '../../util/json';
import { oneLine } from '../../util/one-line';
import { type AdminContext, adminHandlers } from './admin-handlers';
import { diskFault } from './disk-fault';
import { turnAway } from './federation-server';
import { permissionOf, requirePermission } from './permissions';

export interface AdminSessionsOptions extends Omit<AdminContext, 'submitting'> {
  readonly newSession: () => string;
  /** Something went wrong that is nobody's fault but the server's. */
  readonly trouble: (error: unknown) => void;
}

export interface AdminSessions {
  connect(connection: Connection): ConnectionHandler;
  close(reason: CloseReason): void;
}

/** Requests of one connection that are worked on at one time. */
const mostRequests = 16;

type OfferedBlob = BlobSource & { close(): Promise<void> };

export function createAdminSessions(options: AdminSessionsOptions): AdminSessions {
  const channels = new Set<Channel>();
  const context = { ...options, submitting: new Set<string>() };
  let closed = false;
  return {
    connect: (connection) => (closed ? turnAway(connection) : session(connection, context, channels)),
    close(reason) {
      closed = true;
      for (const channel of channels) channel.close(reason);
    },
  };
}

function session(
  connection: Connection,
  options: AdminSessionsOptions & AdminContext,
  channels: Set<Channel>,
): ConnectionHandler {
  const { clock, settings, trouble } = options;
  const requests = new Map<number, AbortController>();
  const offered = new Map<string, OfferedBlob>();
  let isWelcome = false;
  const { channel, handler } = openChannel(connection, {
    clock,
    heartbeatMs: settings.heartbeatSeconds * 1000,
    deadMs: settings.deadSeconds * 1000,
    opening: { expect: 'hello', withinMs: 10_000 },
    source: (sha256) => offered.get(sha256),
    unreadable: (_, error) => trouble(error),
    message: receive,
    closed() {
      channels.delete(channel);
      for (const request of requests.values()) request.abort(new ProtocolError('The connection was closed.'));
      for (const blob of offered.values()) blob.close().catch(trouble);
    },
  });
  channels.add(channel);
  return handler;

  function receive(message: ChannelMessage): void {
    if (message.type === 'hello' && !isWelcome) welcome(message);
    else if (message.type === 'request' && isWelcome) begin(message);
    else if (message.type === 'cancel' && isWelcome) requests.get(message.id)?.abort(cancelled());
    else throw new ProtocolError(`'${message.type}' is not what a ${connection.peer.role} says here.`);
  }

  function welcome({ protocols, software }: MessageOf<'hello'>): void {
    if (!protocols.includes(protocolVersion)) {
      channel.close(wrongVersion({ protocols, software }));
      return;
    }
    isWelcome = true;
    channel.send({
      type: 'welcome',
      protocol: protocolVersion,
      software: options.software,
      session: options.newSession(),
      serverTimeMs: clock.wallMs(),
      heartbeatMs: settings.heartbeatSeconds * 1000,
      deadMs: settings.deadSeconds * 1000,
    });
  }

  function begin(request: MessageOf<'request'>): void {
    const { id } = request;
    if (requests.has(id)) throw new ProtocolError(`The request ${id} is being worked on already.`);
    const stop = new AbortController();
    requests.set(id, stop);
    void answer(request, stop.signal)
      .catch((error: unknown) => respondError(id, error))
      .finally(() => requests.delete(id));
  }

  async function answer({ id, method, params }: MessageOf<'request'>, signal: AbortSignal): Promise<void> {
    if (requests.size > mostRequests)
      throw new RefusedError(`At most ${mostRequests} requests are worked on at one time.`);
    if (!isAdminMethod(method)) throw unknownMethod(method);
    if (permissionOf(channel.peer.role, method) === 'no') requirePermission(channel.peer, method);
    const context = { ...options, by: channel.peer, channel, signal, offer };
    const result = call(method, parseParams(method, params), context);
    if (result instanceof Promise) {
      channel.send({ type: 'response', id, result: toJson(await result) });
      return;
    }
    for await (const page of result) channel.send({ type: 'response', id, result: toJson(page), more: true });
    channel.send({ type: 'response', id });
  }

  function offer(source: OfferedBlob): void {
    const { sha256 } = source.ref;
    if (channel.open && !offered.has(sha256)) offered.set(sha256, source);
    else source.close().catch(trouble);
  }

  function respondError(id: number, error: unknown): void {
    const ofDisk = diskFault(error);
    if (ofDisk || !isConsiliumError(error) || error.tag === 'InternalError') trouble(error);
    channel.send({ type: 'response', id, error: ofDisk ? { tag: 'WorkspaceError', ...ofDisk } : errorOf(error) });
  }
}

/** The handler of a method with what it takes: their types belong together, which the compiler does not follow here. */
function call(method: AdminMethod, params: unknown, context: Parameters<(typeof adminHandlers)['show']>[1]) {
  const handler = adminHandlers[method] as (
    params: unknown,
    request: typeof context,
  ) => Promise<unknown> | AsyncGenerator<unknown, void>;
  return handler(params, context);
}

function parseParams(method: AdminMethod, params: Json): unknown {
  const parsed = adminMethods[method].params.safeParse(params);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const what = oneLine(`${issue?.path.join('.')}: ${issue?.message}`);
  throw new ProtocolError(`The parameters of '${method}' are wrong: ${what}.`);
}

function unknownMethod(method: string): ProtocolError {
  return new ProtocolError(`This server has no method '${method.slice(0, 64)}'.`, {
    hint: 'Install the same release at both ends.',
  });
}

function toJson(value: unknown): Json {
  return json.parse(JSON.parse(JSON.stringify(value)));
}

function cancelled(): RefusedError {
  return new RefusedError('The request was called off.');
}

const longestText = 2000;

/** What the asker is told. Of an error inside the server, only that there was one. */
function errorOf(error: unknown): NonNullable<MessageOf<'response'>['error']> {
  if (!isConsiliumError(error)) {
    return { tag: 'InternalError', message: 'Something went wrong in the server; its log has the details.' };
  }
  const { tag, message, hint } = errorToData(error);
  return {
    tag,
    message: shortened(message),
    ...(hint !== undefined && { hint: shortened(hint) }),
  };
}

function shortened(text: string): string {
  return text.length <= longestText ? text : `${text.slice(0, longestText - 1)}…`;
}
