import { existsSync, type FSWatcher, watch } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { RefusedError, WorkspaceError } from '../../errors';
import { readBounded } from '../../util/read-bounded';
import { digestOfRoster, maxRosterBytes, type Roster, verifyRoster } from './roster';

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
  /**
   * A new roster was refused (damaged, badly signed, older than the one in force, or another one with its serial) or is missing,
   * or the file can no longer be watched: the last good one stays. To be told loudly.
   */
  refused(error: unknown): void;
}

/**
 * Reads a roster and follows its file, also when another is renamed over it. Nothing polls.
 *
 * @throws ConfigError, RefusedError when the first one is not good.
 */
export async function watchRoster(file: string, options: WatchRosterOptions): Promise<RosterWatch> {
  const path = resolve(file);
  const folder = dirname(path);
  let roster = await readRoster(path, options);
  let closed = false;
  let reading: Promise<void> | undefined;
  let again = false;

  let watcher = follow();
  look(); // It may have changed before it was watched.
  return {
    get roster() {
      return roster;
    },
    close() {
      closed = true;
      watcher.close();
    },
  };

  /** The folder, because a file that is replaced is another one. So is a folder: it tells of itself under its own name. */
  function follow(): FSWatcher {
    return watching(folder, (name) => {
      if (name === null || name === basename(path)) look();
      else if (name === basename(folder)) followAnew();
    });
  }

  function followAnew(): void {
    if (closed) return;
    watcher.close();
    try {
      watcher = followNow() ?? awaitFolder();
    } catch (cause) {
      const message = `'${path}' can no longer be followed: changes of the roster are not noticed.`;
      options.refused(new WorkspaceError(message, { cause, hint: 'Start the server again.' }));
      return;
    }
    look();
  }

  function followNow(): FSWatcher | undefined {
    try {
      return follow();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** A folder that is replaced is gone for a moment. */
  function awaitFolder(): FSWatcher {
    const above = watching(dirname(folder), (name) => {
      if ((name === null || name === basename(folder)) && existsSync(folder)) followAnew();
    });
    if (existsSync(folder)) setImmediate(followAnew); // It came back before it was waited for.
    return above;
  }

  function watching(place: string, act: (name: string | null) => void): FSWatcher {
    return watch(place, (_event, name) => act(name)).on('error', options.refused);
  }

  /** One reading at a time; what changes meanwhile is read after it. */
  function look(): void {
    again = true;
    if (reading || closed) return;
    again = false;
    reading = read().finally(() => {
      reading = undefined;
      if (again) look();
    });
  }

  async function read(): Promise<void> {
    const before = roster;
    let found: Roster;
    try {
      found = await readRoster(path, options);
      checkNewer(found, before);
    } catch (error) {
      if (!closed) options.refused(error);
      return;
    }
    if (closed || found.serial === before.serial) return;
    roster = found;
    options.changed(found, before);
  }
}

async function readRoster(path: string, { ca, project }: WatchRosterOptions): Promise<Roster> {
  return verifyRoster(await readBounded(path, maxRosterBytes, 'roster'), { ca, project, source: path });
}

/** An older roster would let in again whoever was revoked since; of two with one serial, nobody knows which is newer. */
function checkNewer(found: Roster, before: Roster): void {
  const { serial } = found;
  if (serial < before.serial) {
    throw new RefusedError(`The new roster is refused: its serial is ${serial}, but ${before.serial} is in force.`, {
      hint: 'Copy the newest roster.json from the folder that `consilium provision` writes.',
    });
  }
  if (serial > before.serial || digestOfRoster(found) === digestOfRoster(before)) return;
  throw new RefusedError(
    `The new roster is refused: it is another one than that in force, with the same serial, ${serial}.`,
    {
      hint: 'The project was changed in two copies of its folder. Repeat in one of them what was changed in the other, and copy its roster.json.',
    },
  );
}
