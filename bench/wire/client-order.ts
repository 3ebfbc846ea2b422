/** What the processes of these benchmarks tell each other. */
import type { Credentials } from '../../src/transport/websocket/server';

/** What the process of the clients is to do. */
export interface ClientOrder {
  /** Clients with channels, or bare websockets that answer each message with one of its size. */
  readonly kind: 'channels' | 'bare';
  readonly address: string;
  readonly credentials: readonly Credentials[];
  /** Connections in all, dealt to the credentials in turn. */
  readonly connections: number;
  /** What each client has to offer. */
  readonly updateBytes: number;
  readonly heartbeatMs: number;
}
