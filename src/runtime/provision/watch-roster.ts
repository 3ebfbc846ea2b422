import { InternalError } from '../../errors';
import type { Roster } from './roster';

export interface RosterWatch {
  /** The newest roster that was good. */
  readonly roster: Roster;
  close(): void;
}

export interface WatchRosterOptions {
  /** Certificate of the project's authority, PEM. */
  readonly ca: string;
  readonly project: string;
  /** A new roster is in force: whoever it no longer admits is to be disconnected. */
  changed(roster: Roster, before: Roster): void;
  /** A new roster was refused (damaged, badly signed, older than the one in force), or can no longer be watched: the last good one stays. */
  refused(error: unknown): void;
}

/**
 * Reads a roster and follows its file, also when another is renamed over it. Nothing polls.
 *
 * @throws ConfigError, RefusedError when the first one is not good.
 */
export function watchRoster(_file: string, _options: WatchRosterOptions): Promise<RosterWatch> {
  throw new InternalError('Not written yet.');
}
