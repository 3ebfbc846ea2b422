import type { Credentials } from '../../src/transport/websocket/server';

/** What the processes of the benchmark are told. */
export interface ServerOrder {
  readonly folder: string;
  readonly credentials: Credentials;
  readonly sites: readonly string[];
  /** Numbers of four bytes in the model. */
  readonly parameters: number;
  readonly rounds: number;
}

export interface ClientsOrder {
  readonly folder: string;
  readonly address: string;
  readonly credentials: Readonly<Record<string, Credentials>>;
}

/** What the server says of a finished job. */
export interface ServerReport {
  /** Milliseconds of each round. */
  readonly rounds: readonly number[];
  /** Resident memory at the start, before the first round, and the most of it afterwards, MB. */
  readonly startMb: number;
  readonly peakMb: number;
  /** Heap in use after a collection every 20 rounds, bytes. */
  readonly heap: readonly number[];
  /** The same without what the engine has compiled. */
  readonly state: readonly number[];
  /** What the process has open after each of these collections. */
  readonly open: readonly Open[];
}

export interface Open {
  readonly handles: number;
  readonly timers: number;
  /** Of its sockets, of the process and of the signal that would end the run. */
  readonly listeners: number;
}
