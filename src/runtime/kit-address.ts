/**
 * Where the server of a kit is reached.
 *
 * @module
 */
import { isConsiliumError } from '../errors';
import type { Dialer } from '../transport/connection';
import { type WebsocketDialerOptions, websocketDialer } from '../transport/websocket/client';
import type { Kit } from './provision/kit';

/** `wss://host:port`. @param host a name or an IP address */
export function serverAddress(host: string, port: number): string {
  return `wss://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Dials the addresses of the kit's server, one after the other; the error of the first is the one to know. */
export function kitDialer(
  { server, tls }: Kit,
  port: number,
  options: Omit<WebsocketDialerOptions, 'address' | 'credentials'> = {},
): Dialer {
  const dialers = server.hosts.map((host) =>
    websocketDialer({ ...options, address: serverAddress(host, port), credentials: tls }),
  );
  return {
    async dial(handler, signal) {
      let first: unknown;
      for (const dialer of dialers) {
        try {
          return await dialer.dial(handler, signal);
        } catch (error) {
          if (!isConsiliumError(error, 'ConnectError')) throw error;
          first ??= error;
        }
      }
      throw first;
    },
  };
}
