/**
 * The accepted updates of the round in progress, on disk until the round's checkpoint is. A run that was killed in the
 * middle of a round counts them instead of asking their sites again.
 *
 * @module
 */
import { join } from 'node:path';
import { DataError, isConsiliumError } from '../errors';
import type { Update } from '../protocol/messages';
import { decodeSafetensors, safetensorsParts } from '../tensor/safetensors';
import type { NamedTensors } from '../tensor/tensor';
import { namesIn, writeFileAtomic } from '../util/atomic-file';
import type { Disk } from '../util/disk';
import { fromJson, toJson } from '../util/exact-json';
import { nodeDisk } from '../util/node-disk';
import type { RoundJournal } from '../workflows/workflow';
import { modelDigest } from './model-digest';

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
  readonly disk?: Disk;
}

/** The journal in a folder of its own, which need not exist yet. */
export function roundJournal(folder: string, { disk = nodeDisk }: RoundJournalOptions = {}): JournalFiles {
  /** Updates on their way to disk, by round. */
  const records = new Map<number, Promise<void>[]>();
  let inFlight = 0;
  return { accepted, record, keeps: isWorthKeeping, close };

  async function* accepted(round: number, model: NamedTensors, sites: readonly string[]): AsyncGenerator<Update> {
    const ofRound = join(folder, String(round));
    const names = (await namesIn(ofRound, disk)).filter(isUpdateFile);
    const place = new Map(sites.map((site, i) => [site, i]));
    const wanted = names.filter((name) => place.has(siteOf(name)));
    for (const name of wanted.sort((a, b) => place.get(siteOf(a))! - place.get(siteOf(b))!)) {
      const { tensors, metadata } = await readUpdate(join(ofRound, name), disk);
      if (metadata.model !== modelDigest(model)) continue;
      // Written by `record` of this very library; the workflow and the aggregator check what matters again.
      const update = fromJson(metadata.update ?? 'null') as Update;
      if (update.round === round) yield { ...update, payload: { ...update.payload, tensors } };
    }
  }

  async function record(update: Update, model: NamedTensors): Promise<void> {
    const size = sizeInBytes(update.payload.tensors);
    const ofRound = records.get(update.round) ?? [];
    records.set(update.round, ofRound);
    inFlight += size;
    const writing = write(update, modelDigest(model)).finally(() => {
      inFlight -= size;
    });
    const told = writing.catch(() => {}); // Told to whoever saves the round.
    ofRound.push(writing);
    if (inFlight > mostInFlight) await told;
  }

  async function write(update: Update, model: string): Promise<void> {
    const { tensors, ...payload } = update.payload;
    const metadata = { update: toJson({ ...update, payload }), model };
    // A round may give a site the same task for several models.
    const name = `${update.site}.${update.task}.${model.slice(0, 12)}.safetensors`;
    const file = join(folder, String(update.round), name);
    await writeFileAtomic(file, safetensorsParts(tensors, metadata), { disk });
  }

  async function close(open: number): Promise<void> {
    for (const [recorded, writing] of records) {
      if (recorded >= open) continue;
      await Promise.all(writing);
      records.delete(recorded);
    }
    const finished = (await namesIn(folder, disk)).filter((name) => Number(name) < open);
    await Promise.all(finished.map((name) => disk.remove(join(folder, name))));
  }
}

function isUpdateFile(name: string): boolean {
  return name.endsWith('.safetensors') && !name.startsWith('.');
}

/** Names of sites hold no dots. */
function siteOf(updateFile: string): string {
  return updateFile.split('.')[0]!;
}

async function readUpdate(file: string, disk: Disk): Promise<ReturnType<typeof decodeSafetensors>> {
  try {
    return decodeSafetensors(await disk.readFile(file));
  } catch (cause) {
    if (!isConsiliumError(cause, 'DataError')) throw cause;
    const hint = 'Remove this file and continue with --resume: the site is asked again.';
    throw new DataError(`The update '${file}' cannot be used: it is not whole.`, { file, cause, hint });
  }
}

function sizeInBytes(tensors: NamedTensors): number {
  return [...tensors.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
}
