import type { Identity } from '../../src/transport/connection';
import type { SimTime } from '../support/sim/clock';
import type { SimNetwork } from '../support/sim/network';
import type { History } from './history';
import type { Plan } from './plan';

/** What the simulated processes share. */
export interface World {
  readonly time: SimTime;
  readonly network: SimNetwork;
  readonly history: History;
  readonly plan: Plan;
  /** A stream of random numbers in [0, 1) under a name. */
  randomOf(name: string): () => number;
  /** Whether faults are over. */
  healed(): boolean;
  /** Aborted once all has been looked at: what killed processes were waiting for is let go. */
  readonly over: AbortSignal;
  siteEnded(name: string): void;
}

export const jobId = 'sim-0';
export const serverName = 'server';

export function certificateOf(name: string): Identity {
  return { name, role: name === serverName ? 'server' : 'site', fingerprint: name.padEnd(64, '0') };
}
