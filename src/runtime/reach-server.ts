import { ConnectError, ProtocolError } from '../errors';
import { kitDialer } from './kit-address';
import type { Reached } from './kit-doctor';
import type { Kit } from './provision/kit';

export interface ReachServerOptions {
  /** Longest time for all addresses together, milliseconds. @default 10 s */
  readonly withinMs?: number;
}

/**
 * Connects to the server with the kit of a site or a person, and leaves without a word: the server neither counts the site as
 * there nor lets go of it where it is connected already.
 *
 * @throws ConnectError when it cannot be reached in time; RefusedError in the server's words when it does not let this kit in.
 */
export async function reachServer(kit: Kit, { withinMs = 10_000 }: ReachServerOptions = {}): Promise<Reached> {
  const { port, adminPort } = kit.server;
  const stop = new AbortController();
  const late = new ConnectError(`The server did not answer within ${withinMs / 1000} s.`, {
    hint: 'Is the network up, and does a firewall let this machine out to that address and port?',
  });
  const timer = setTimeout(() => stop.abort(late), withinMs);
  let serverTimeMs: number | undefined;
  const dialer = kitDialer(kit, kit.kind === 'site' ? port : adminPort, {
    handshakeMs: withinMs / 2,
    heardTime(ms) {
      serverTimeMs = ms;
    },
  });
  try {
    const connection = await dialer.dial(() => ({ message() {}, closed() {} }), stop.signal);
    connection.close({ code: 'gone', message: 'Only looked whether the server is there.' });
  } finally {
    clearTimeout(timer);
  }
  if (serverTimeMs !== undefined) return { serverTimeMs };
  throw new ProtocolError('The server does not say what time it is.', {
    hint: 'Install the same release at both ends.',
  });
}
