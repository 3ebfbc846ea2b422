/**
 * What a site's agent and the thread of its policy's filters say to each other.
 *
 * @module
 */
import type { ErrorData } from '../../errors';
import type { PrivacyCost } from '../../privacy/cost';
import type { Payload } from '../../protocol/payload';
import type { ReadPolicy } from './policy';

/** What the thread is started with. */
export interface PolicyFilterSetup {
  readonly site: string;
  /** The site's workspace: it holds the account of what the policy's filters have cost, over all jobs. */
  readonly workspace: string;
  /** Makes privacy noise reproducible, and so worthless: for tests only. */
  readonly testNoiseSeed: number | undefined;
}

/** A payload on its way out. */
export interface Outgoing {
  readonly policy: ReadPolicy;
  readonly job: string;
  readonly task: string;
  readonly round: number;
  readonly payload: Payload;
}

/** A payload that may leave. */
export interface Passed {
  readonly payload: Payload;
  /** What this round of the job was charged here, in all its attempts. */
  readonly costs: readonly PrivacyCost[];
}

export type PolicyFilterRequest =
  | ({ readonly type: 'filter'; readonly id: number } & Outgoing)
  | { readonly type: 'abort'; readonly id: number }
  | { readonly type: 'close' };

export type PolicyFilterReply =
  | ({ readonly type: 'passed'; readonly id: number } & Passed)
  | { readonly type: 'failed'; readonly id: number; readonly error: ErrorData };
