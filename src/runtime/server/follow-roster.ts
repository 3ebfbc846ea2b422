/**
 * The roster of a server that runs: the newest that was ever in force in its workspace, from the kit's file, which is followed.
 *
 * @module
 */
import type { RunLog } from '../../tracking/run-log';
import { nodeDisk } from '../../util/node-disk';
import type { AuditEvent } from '../audit';
import type { Kit } from '../provision/kit';
import { digestOfRoster, type Roster } from '../provision/roster';
import { watchRoster } from '../provision/watch-roster';
import { openRosterRecord } from './roster-record';

export interface FollowedRoster {
  /** The one that is in force. */
  readonly roster: Roster;
  /** From now on: told of the roster that is in force, and of each that comes after it. */
  tell(listener: RosterListener): void;
  close(): void;
}

export interface RosterListener {
  /** Whoever is no longer admitted is to be disconnected: at once, whatever the disk does. */
  inForce(roster: Roster): void;
  /** That it is in force outlasts the process from now on. */
  noted(roster: Roster): void;
}

export interface FollowRosterOptions {
  readonly kit: Kit;
  readonly workspace: string;
  readonly log: RunLog;
  readonly trouble: (error: unknown) => void;
}

/** @throws ConfigError, RefusedError when the kit's roster is no good, or older than one that was in force in the workspace. */
export async function followRoster({ kit, workspace, log, trouble }: FollowRosterOptions): Promise<FollowedRoster> {
  const { project, caFingerprint } = kit;
  const file = kit.files.roster!;
  const record = await openRosterRecord({ disk: nodeDisk, workspace, caFingerprint });
  let listener: RosterListener | undefined;
  const watch = await watchRoster(file, {
    ca: kit.tls.ca,
    project,
    changed: (roster) => {
      tell(roster).then(() => log.write('info', 'a new roster is in force', { serial: roster.serial }), trouble);
    },
    refused: trouble,
  });
  try {
    record.check(watch.roster, file);
    await record.keep(watch.roster);
  } catch (error) {
    watch.close();
    throw error;
  }
  return {
    get roster() {
      return watch.roster;
    },
    tell(whom) {
      listener = whom;
      tell(watch.roster).catch(trouble);
    },
    close: () => watch.close(),
  };

  /** Before somebody listens nobody is connected, and the listener is told of the newest. */
  async function tell(roster: Roster): Promise<void> {
    const told = listener;
    told?.inForce(roster);
    await record.keep(roster);
    told?.noted(roster);
  }
}

/** A roster in the audit log. */
export function rosterEvent(roster: Roster): AuditEvent {
  const { serial, entries } = roster;
  const revoked = entries.filter(({ status }) => status === 'revoked').length;
  return { event: 'roster-in-force', serial, sha256: digestOfRoster(roster), names: entries.length, revoked };
}
