import { ConnectError, ProtocolError } from '../errors';
import { protocolVersion } from '../protocol/wire/messages';
import { kitDialer } from './kit-address';
import type { Reached } from './kit-doctor';
import type { Kit } from './provision/kit';
import { versions } from './versions';

export interface ReachServerOptions {
  /** Longest time for all addresses together, milliseconds. @default 10 s */
  readonly withinMs?: number;
}

/**
 * Connects to the server with the kit of a site or a person, and leaves without a word: the server neither counts the site as
 * there nor lets go of it where it is connected already.
 *
 * @throws ConnectError when it cannot be reached in time; RefusedError in the server's words when it does not let this kit in;
 * ProtocolError when the two speak no version of the protocol in common.
 */
export async function reachServer(kit: Kit, { withinMs = 10_000 }: ReachServerOptions = {}): Promise<Reached> {
  const { port, adminPort } = kit.server;
  const stop = new AbortController();
  const late = new ConnectError(`The server did not answer within ${withinMs / 1000} s.`, {
    hint: 'Is the network up, and does a firewall let this machine out to that address and port?',
  });
  const timer = setTimeout(() => stop.abort(late), withinMs);
  let serverTimeMs: number | undefined;
  let protocols: readonly number[] | undefined;
  const dialer = kitDialer(kit, kit.kind === 'site' ? port : adminPort, {
    handshakeMs: withinMs / 2,
    heardTime(ms) {
      serverTimeMs = ms;
    },
    heardProtocols(versions) {
      protocols = versions;
    },
  });
  try {
    const connection = await dialer.dial(() => ({ message() {}, closed() {} }), stop.signal);
    connection.close({ code: 'gone', message: 'Only looked whether the server is there.' });
  } finally {
    clearTimeout(timer);
  }
  if (serverTimeMs === undefined) throw silent('what time it is');
  if (protocols === undefined) throw silent('which version of the protocol it speaks');
  if (!protocols.includes(protocolVersion)) throw anotherVersion(protocols);
  return { serverTimeMs };
}

const sameRelease = 'Install the same release at both ends.';

function silent(about: string): ProtocolError {
  return new ProtocolError(`The server does not say ${about}.`, { hint: sameRelease });
}

function anotherVersion(protocols: readonly number[]): ProtocolError {
  const ours = `consilium ${versions().consilium}`;
  return new ProtocolError(
    `The server speaks version ${protocols.join(', ')} of the protocol, but ${ours} speaks ${protocolVersion}.`,
    { hint: sameRelease },
  );
}
