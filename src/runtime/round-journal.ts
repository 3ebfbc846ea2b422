/**
 * The accepted updates of the round in progress, on disk until the round's checkpoint is. A run that was killed in the
 * middle of a round counts them instead of asking their sites again.
 *
 * @module
 */
import { basename, join } from 'node:path';
import { DataError, InternalError, isConsiliumError } from '../errors';
import type { Update } from '../protocol/messages';
import { type LentUpdate, readUpdate } from '../protocol/read-update';
import { updateFileParts } from '../protocol/update-file';
import { type NamedTensors, sizeInBytes } from '../tensor/tensor';
import { flushFolder, namesIn, removeFile, workspaceError, writeFileAtomic } from '../util/atomic-file';
import type { Disk } from '../util/disk';
import { durableFolder, forgetFolders } from '../util/durable-folder';
import { failpoint } from '../util/failpoint';
import { nodeDisk } from '../util/node-disk';
import { sha256Of } from '../util/sha256';
import type { RecordedUpdate, RecordOptions, RoundJournal } from '../workflows/workflow';
import { conclusions } from './conclusions';
import { modelDigest } from './model-digest';
import { checksumIn, isUpdateFile, keyIn, keyOf, mayBeOf, siteIn, updateFileName } from './update-file-name';

export interface JournalFiles extends RoundJournal {
  /** Drops the rounds before `open` once their updates are written. @throws WorkspaceError when one could not be. */
  close(open: number): Promise<void>;
}

/** What a disk does at least: a flush, and a second's writing. */
const flushSeconds = 0.02;
const bytesPerSecond = 50e6;

/** Updates on their way to disk that the journal holds at most before it lets the next one wait, bytes. */
const mostInFlight = 64 * 2 ** 20;

/**
 * Whether an update is kept: when it took its site longer than it takes a disk, and always when privacy was spent on it,
 * because a repeated round would spend it again; so are statistics, whose minima would leave with fresh noise. After a kill, a site whose update is not kept trains the round again, from
 * the same state and seed.
 */
export function isWorthKeeping({ payload, privacy, seconds }: Update): boolean {
  const taken = seconds.validate + seconds.train + seconds.other;
  if (privacy.length > 0 || payload.kind === 'statistics') return true;
  return taken > flushSeconds + sizeInBytes(payload.tensors) / bytesPerSecond;
}

export interface RoundJournalOptions {
  /** @default this machine's */
  readonly disk?: Disk | undefined;
  /**
   * Keeps every update, and gives a promise from `record` that resolves when the update is durable and rejects when it could
   * not be kept: its site is told no earlier. Kept updates can be read again, and who took part in a round is kept as well.
   * @default false: those that are worth it, and what cannot be kept is told when the round is closed
   */
  readonly keepAll?: boolean | undefined;
  /** Told of a kept update that is damaged and passed over: its site is asked again. @default that ends the run */
  readonly warn?: ((message: string) => void) | undefined;
}

/** The journal in a folder of its own, which need not exist yet. */
export function roundJournal(
  folder: string,
  { disk = nodeDisk, keepAll = false, warn }: RoundJournalOptions = {},
): JournalFiles {
  /** Updates on their way to disk, by round. */
  const records = new Map<number, Promise<void>[]>();
  /** File of each update that was recorded or found, once it is there: by round, then by what it is. */
  const files = new Map<number, Map<string, Promise<string>>>();
  let inFlight = 0;
  if (!keepAll) return { accepted, record, keeps: isWorthKeeping, close };
  const { conclude, concluded } = conclusions({ folder, disk, isKept });
  return { accepted, record: recordDurably, reload, conclude, concluded, keeps: () => true, close };

  async function* accepted(round: number, model: NamedTensors, sites: readonly string[]): AsyncGenerator<Update> {
    const ofRound = join(folder, String(round));
    const place = new Map(sites.map((site, i) => [site, i]));
    const found = (await namesIn(ofRound, disk)).filter((name) => isUpdateFile(name) && place.has(siteIn(name)));
    if (found.length === 0) return;
    const digest = modelDigest(model);
    const names = found.filter((name) => mayBeOf(digest, name));
    // Others will build on what an earlier process was about to flush.
    if (names.some((name) => !filesOf(round).has(keyIn(name)))) await flushFolder(ofRound, disk);
    const given = new Set<string>();
    for (const name of names.sort((a, b) => place.get(siteIn(a))! - place.get(siteIn(b))! || (a < b ? -1 : 1))) {
      const update = given.has(keyIn(name)) ? undefined : await readIfWhole(join(ofRound, name), round, digest);
      if (!update) continue;
      given.add(keyIn(name));
      if (!filesOf(round).has(keyIn(name))) filesOf(round).set(keyIn(name), Promise.resolve(name));
      yield update;
    }
  }

  /** The update, if it was computed on this model; nothing where it is damaged and passed over. */
  async function readIfWhole(file: string, round: number, model: string): Promise<Update | undefined> {
    try {
      const found = await readWhole(file, disk);
      return found.model === model && found.update.round === round ? found.update : undefined;
    } catch (error) {
      if (!warn || !isConsiliumError(error, 'DataError')) throw error;
      warn(`${error.message} It is passed over, and its site is asked again.`);
      return undefined;
    }
  }

  async function record(update: Update, model: NamedTensors, more: RecordOptions = {}): Promise<void> {
    const size = sizeInBytes(update.payload.tensors);
    const ofRound = records.get(update.round) ?? [];
    records.set(update.round, ofRound);
    inFlight += size;
    const writing = recordDurably(update, model, more).finally(() => {
      inFlight -= size;
    });
    const told = writing.catch(() => {}); // Told to whoever saves the round.
    ofRound.push(writing);
    if (inFlight > mostInFlight) await told;
  }

  async function recordDurably(update: Update, model: NamedTensors, { spooled }: RecordOptions = {}): Promise<void> {
    const digest = modelDigest(model);
    const name = spooled === undefined ? write(update, digest) : takeOver(spooled, update, digest);
    const ofRound = filesOf(update.round);
    ofRound.set(keyOf(update, digest), name);
    await name.catch((error: unknown) => {
      ofRound.delete(keyOf(update, digest));
      throw error;
    });
    failpoint('update-kept', `${update.site} ${update.round}`);
  }

  async function write(update: Update, model: string): Promise<string> {
    const parts = updateFileParts(update, model);
    const name = updateFileName(update, model, sha256Of(...parts));
    await writeFileAtomic(join(folder, String(update.round), name), parts, { disk });
    return name;
  }

  async function takeOver(spooled: string, update: Update, model: string): Promise<string> {
    const sha256 = basename(spooled);
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw new InternalError(`'${spooled}' is not named by its SHA-256.`);
    const ofRound = join(folder, String(update.round));
    const name = updateFileName(update, model, sha256);
    try {
      await durableFolder(ofRound, disk);
      await disk.rename(spooled, join(ofRound, name));
      failpoint('update-renamed', name);
      await disk.syncFolder(ofRound);
    } catch (error) {
      throw workspaceError('keep', join(ofRound, name), error);
    }
    return name;
  }

  async function reload(update: RecordedUpdate, model: NamedTensors) {
    const name = await filesOf(update.round).get(keyOf(update, modelDigest(model)));
    if (name === undefined) throw new InternalError(`The update of ${update.site} was not recorded.`);
    const found = await readWhole(join(folder, String(update.round), name), disk);
    return { ...found.update, release: found.release };
  }

  /** Whether the update of a site that took part in a task was recorded or found. */
  function isKept(of: Pick<Update, 'site' | 'round' | 'task'>, model: string): boolean {
    return filesOf(of.round).has(keyOf(of, model));
  }

  function filesOf(round: number): Map<string, Promise<string>> {
    const known = files.get(round) ?? new Map<string, Promise<string>>();
    files.set(round, known);
    return known;
  }

  async function close(open: number): Promise<void> {
    for (const [recorded, writing] of records) {
      if (recorded >= open) continue;
      await Promise.all(writing);
      records.delete(recorded);
    }
    for (const round of files.keys()) if (round < open) files.delete(round);
    const finished = (await namesIn(folder, disk))
      .filter((name) => Number(name) < open)
      .map((name) => join(folder, name));
    for (const path of finished) forgetFolders(disk, path);
    await Promise.all(finished.map((path) => removeFile(path, disk)));
  }
}

async function readWhole(file: string, disk: Disk): Promise<LentUpdate> {
  try {
    return await readUpdate(disk, file, (bytes) => {
      if (!sha256Of(bytes).startsWith(checksumIn(file))) throw new DataError('its checksum differs');
    });
  } catch (cause) {
    if (!isConsiliumError(cause, 'DataError')) throw cause;
    const hint = 'Remove this file and continue with --resume: the site is asked again.';
    throw new DataError(`The update '${file}' cannot be used: it is not whole.`, { file, cause, hint });
  }
}
