/**
 * The connections of a server: counted, and ended when the roster no longer has who is at the other end.
 *
 * @module
 */
import type { CloseReason, Connection, ConnectionHandler, Identity } from '../../transport/connection';
import type { ServerMetrics } from './metrics';

export interface ConnectionsOptions {
  readonly open: (connection: Connection) => ConnectionHandler;
  readonly metrics: Pick<ServerMetrics, 'bytes'>;
  /** Told of those who are sent away for what they do or are, and not because the server ends or the other end is silent. */
  readonly sentAway: (peer: Identity, reason: CloseReason) => void;
}

export interface Connections {
  accept(connection: Connection): ConnectionHandler;
  /** Ends the connections of those who are no longer admitted. */
  review(admit: (identity: Identity) => true | CloseReason): void;
}

export function createConnections({ open, metrics, sentAway }: ConnectionsOptions): Connections {
  const connections = new Set<Connection>();
  return {
    accept(connection) {
      const { role } = connection.peer;
      const handler = open(counted(connection));
      connections.add(connection);
      return {
        message(bytes) {
          metrics.bytes('received', role, bytes.byteLength);
          handler.message(bytes);
        },
        closed(reason) {
          connections.delete(connection);
          handler.closed(reason);
        },
      };
    },
    review(admit) {
      for (const connection of [...connections]) {
        const verdict = admit(connection.peer);
        if (verdict !== true) close(connection, verdict);
      }
    },
  };

  function counted(connection: Connection): Connection {
    const { role } = connection.peer;
    return {
      peer: connection.peer,
      get bufferedBytes() {
        return connection.bufferedBytes;
      },
      send(parts) {
        const size = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
        metrics.bytes('sent', role, size);
        connection.send(parts);
      },
      pause: () => connection.pause(),
      resume: () => connection.resume(),
      close: (reason) => close(connection, reason),
    };
  }

  function close(connection: Connection, reason: CloseReason): void {
    if (noted.has(reason.code)) sentAway(connection.peer, reason);
    connection.close(reason);
  }
}

/** Why somebody is sent away that is worth a record. */
const noted: ReadonlySet<CloseReason['code']> = new Set([
  'protocol',
  'version',
  'not-allowed',
  'revoked',
  'too-slow',
  'too-many',
]);
