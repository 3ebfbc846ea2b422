/**
 * Which roster was in force last in a server's workspace. An older one would let in again whoever was revoked since, and a
 * server that starts knows of no other roster than the one in its kit: so this is kept on disk, and compared.
 *
 * @module
 */
import { join } from 'node:path';
import { z } from 'zod';
import { DataError, RefusedError } from '../../errors';
import { sha256Hex } from '../../protocol/wire/messages';
import { writeFileAtomic } from '../../util/atomic-file';
import type { Disk } from '../../util/disk';
import { parseJsonFile } from '../provision/json-file';
import { digestOfRoster, type Roster } from '../provision/roster';

const savedRecord = z.strictObject({
  version: z.literal(1),
  /** SHA-256 of the certificate of the project's authority. */
  ca: sha256Hex,
  serial: z.int().nonnegative(),
  /** Of what the roster says. */
  sha256: sha256Hex,
});
type SavedRecord = z.output<typeof savedRecord>;

export interface RosterRecordOptions {
  readonly disk: Disk;
  readonly workspace: string;
  readonly caFingerprint: string;
}

export interface RosterRecord {
  /**
   * @param source path of the roster, for messages
   * @throws RefusedError when a newer roster was in force here, or another one with the same serial.
   */
  check(roster: Roster, source: string): void;
  /** Durable when it resolves. One that is older than what is noted changes nothing. @throws WorkspaceError. */
  keep(roster: Roster): Promise<void>;
}

/** @throws DataError when the record is damaged; RefusedError when it is of another project. */
export async function openRosterRecord(options: RosterRecordOptions): Promise<RosterRecord> {
  const { disk, workspace, caFingerprint: ca } = options;
  const file = join(workspace, 'roster-in-force.json');
  let known = await readRecord(file, options);
  let writing: Promise<unknown> = Promise.resolve();
  return {
    check(roster, source) {
      if (known) checkFollows(roster, known, source, file);
    },
    keep(roster) {
      const written = writing.then(() => write(roster));
      writing = written.catch(() => {}); // Told to whoever asked for it.
      return written;
    },
  };

  async function write(roster: Roster): Promise<void> {
    const { serial } = roster;
    if (known && known.serial >= serial) return;
    const record: SavedRecord = { version: 1, ca, serial, sha256: digestOfRoster(roster) };
    await writeFileAtomic(file, `${JSON.stringify(record)}\n`, { disk });
    known = record;
  }
}

function checkFollows(roster: Roster, known: SavedRecord, source: string, file: string): void {
  const { serial } = roster;
  if (serial < known.serial) {
    throw new RefusedError(
      `The roster '${source}' is refused: its serial is ${serial}, but ${known.serial} was in force at this server, says '${file}'.`,
      {
        hint: `Copy the newest roster.json from the folder that \`consilium provision\` writes into the kit: an older one lets in whoever was revoked since. ${afterBackup(file)}`,
      },
    );
  }
  if (serial === known.serial && digestOfRoster(roster) !== known.sha256) {
    throw new RefusedError(
      `The roster '${source}' is refused: its serial is ${serial}, and another roster of that serial was in force at this server, says '${file}'.`,
      {
        hint: `The project was changed in two copies of its folder. Repeat in one of them what was changed in the other, and copy its roster.json into the kit. ${afterBackup(file)}`,
      },
    );
  }
}

function afterBackup(file: string): string {
  return `If the project's folder was restored from a backup, repeat there what was changed since, remove '${file}', and start the server again.`;
}

async function readRecord(
  file: string,
  { disk, caFingerprint }: RosterRecordOptions,
): Promise<SavedRecord | undefined> {
  if (!(await disk.exists(file))) return undefined;
  const record = await parsedRecord(file, disk);
  if (record.ca === caFingerprint) return record;
  throw new RefusedError(`'${file}' is of a server of another project.`, { hint: 'Choose another --workspace.' });
}

async function parsedRecord(file: string, disk: Disk): Promise<SavedRecord> {
  try {
    return parseJsonFile(await disk.readFile(file), savedRecord, `'${file}'`);
  } catch (cause) {
    throw new DataError(`'${file}' is damaged: it says which roster was in force at this server.`, {
      cause,
      file,
      hint: 'Make sure that the newest roster.json of the project is in the kit, then remove the file and start again.',
    });
  }
}
