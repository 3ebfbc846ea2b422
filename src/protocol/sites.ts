/**
 * The port behind which the sites stand. A workflow cannot tell the simulator from a real federation.
 *
 * @module
 */
import type { SiteAnswer, Task } from './messages';

export interface BroadcastOptions {
  /** Sites that have not answered by then are `late`. */
  readonly deadlineSeconds: number;
  /** Ends the waiting early: sites that have not answered when it is aborted are `late` too. */
  readonly until?: AbortSignal;
  /**
   * Whether the answers so far are enough without those of lost sites, or never will be: then these are `late`, otherwise they
   * may come back until the deadline. @default they are enough
   */
  readonly mayGiveUp?: () => boolean;
  readonly signal: AbortSignal;
}

export interface Sites {
  /** All sites of the job, in the order in which updates are added up. */
  readonly names: readonly string[];
  /** Sends a task to the named sites and yields one answer for each, as they come; it ends when all have one. */
  broadcast(task: Task, names: readonly string[], options: BroadcastOptions): AsyncIterable<SiteAnswer>;
}
