/**
 * What the server needs to go on after it was killed: the global model and the history of the finished rounds, in files
 * that are complete or absent, and the updates of the round in progress.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DataError, isConsiliumError } from '../errors';
import type { Update } from '../protocol/messages';
import { decodeSafetensors, safetensorsParts } from '../tensor/safetensors';
import type { NamedTensors } from '../tensor/tensor';
import { writeFileAtomic } from '../util/atomic-file';
import { fromJson, toJson } from '../util/exact-json';
import type { RoundJournal } from '../workflows/workflow';
import { type RoundLine, roundLine } from './round-line';

const savedState = z.strictObject({
  version: z.literal(1),
  jobHash: z.string(),
  /** Finished rounds. */
  round: z.int().nonnegative(),
  /** File of the model after them, and the SHA-256 of its bytes. */
  model: z.strictObject({ file: z.string(), sha256: z.string() }),
  /** What the server keeps besides the model, when there is anything. */
  memory: z.strictObject({ file: z.string(), sha256: z.string() }).nullable(),
  /** The best model so far among those that were validated. */
  best: z
    .strictObject({ file: z.string(), sha256: z.string(), round: z.int().nonnegative(), value: z.number() })
    .nullable(),
  history: z.array(roundLine),
});

export interface Checkpoint {
  readonly jobHash: string;
  readonly round: number;
  readonly model: NamedTensors;
  /** What the workflow keeps from round to round besides the model. */
  readonly memory: NamedTensors;
  readonly best: { readonly round: number; readonly value: number; readonly model: NamedTensors } | undefined;
  readonly history: readonly RoundLine[];
}

export interface CheckpointStore {
  /**
   * The last complete checkpoint, or `undefined` when there is none. A damaged one is passed over for the one before it, and
   * `warn` is told.
   *
   * @throws DataError when both are damaged.
   */
  load(warn: (message: string) => void): Promise<Checkpoint | undefined>;
  /** On disk when it resolves; a reader sees the old checkpoint or the new one, never a mixture. */
  save(checkpoint: Checkpoint): Promise<void>;
  readonly journal: RoundJournal;
}

type SavedState = z.infer<typeof savedState>;

export function checkpointStore(folder: string): CheckpointStore {
  const stateFile = join(folder, 'state.json');
  const previousFile = join(folder, 'state.previous.json');
  const updates = join(folder, 'updates');
  /** The last checkpoint that is known to be whole. */
  let whole: SavedState | undefined;
  /** SHA-256 of the model files that this process has written. */
  const written = new Map<string, string>();
  /** SHA-256 of the files of models. */
  const digests = new WeakMap<NamedTensors, string>();
  /** Updates on their way to disk, by round. */
  const records = new Map<number, Promise<void>[]>();
  return { load, save, journal: { accepted, record } };

  async function load(warn: (message: string) => void): Promise<Checkpoint | undefined> {
    if (!existsSync(stateFile) && !existsSync(previousFile)) return undefined;
    try {
      return await read(stateFile);
    } catch (error) {
      if (!isConsiliumError(error, 'DataError') || !existsSync(previousFile)) throw error;
      warn(`${error.message} Going back to the checkpoint before it.`);
      return read(previousFile);
    }
  }

  async function read(file: string): Promise<Checkpoint> {
    const state = await readState(file);
    const { jobHash, round, model, memory, best, history } = state;
    const checkpoint = {
      jobHash,
      round,
      history,
      model: await readModel(model),
      memory: memory ? await readModel(memory) : new Map(),
      best: best ? { round: best.round, value: best.value, model: await readModel(best) } : undefined,
    };
    whole = state;
    await removeUpdates(state); // A kill may have come between the checkpoint and this.
    return checkpoint;
  }

  async function readState(file: string): Promise<SavedState> {
    if (!existsSync(file)) throw damaged(file, 'it is missing');
    const text = await readFile(file, 'utf8');
    let json: unknown;
    try {
      json = fromJson(text);
    } catch {
      throw damaged(file, 'it is not whole');
    }
    const parsed = savedState.safeParse(json);
    if (!parsed.success) throw damaged(file, parsed.error.issues[0]?.message ?? 'unknown fields');
    return parsed.data;
  }

  async function readModel({ file: name, sha256 }: { file: string; sha256: string }): Promise<NamedTensors> {
    const file = join(folder, name);
    if (!existsSync(file)) throw damaged(file, 'it is missing');
    const bytes = await readFile(file);
    if (sha256Of(bytes) !== sha256) throw damaged(file, 'its checksum differs');
    const { tensors } = decodeSafetensors(bytes);
    digests.set(tensors, sha256);
    return tensors;
  }

  async function save({ jobHash, round, model, memory, best, history }: Checkpoint): Promise<void> {
    const state: SavedState = {
      version: 1,
      jobHash,
      round,
      model: await writeModel(`model-${round}`, model),
      memory: memory.size > 0 ? await writeModel(`memory-${round}`, memory) : null,
      best: best
        ? { ...(await writeModel(`model-${best.round}`, best.model)), round: best.round, value: best.value }
        : null,
      history: [...history],
    };
    // Not a copy of the file: that may be the damaged one, and then the one before it is all there is.
    if (whole) await writeFileAtomic(previousFile, toJson(whole));
    await writeFileAtomic(stateFile, toJson(state));
    whole = state;
    await removeOutdated(state);
  }

  /** Writes the global model of a round, once: the best one was the current one before. */
  async function writeModel(name: string, model: NamedTensors): Promise<{ file: string; sha256: string }> {
    const file = `${name}.safetensors`;
    const known = written.get(file);
    if (known !== undefined && existsSync(join(folder, file))) return { file, sha256: known };
    const parts = safetensorsParts(model);
    const writing = writeFileAtomic(join(folder, file), parts);
    const sha256 = sha256Of(...parts);
    digests.set(model, sha256);
    await writing;
    written.set(file, sha256);
    return { file, sha256 };
  }

  /** Keeps what the last two checkpoints name; drops older models, updates of finished rounds, and what a kill left half-written. */
  async function removeOutdated(state: SavedState): Promise<void> {
    const previous = existsSync(previousFile) ? await readState(previousFile).catch(() => undefined) : undefined;
    const keep = [state, previous].flatMap((saved) =>
      saved ? [saved.model.file, saved.memory?.file, saved.best?.file] : [],
    );
    const old = (await readdir(folder)).filter(
      (name) => /^(model|memory)-\d+\.safetensors$|^\..*\.tmp$/.test(name) && !keep.includes(name),
    );
    await removeUpdates(state);
    await Promise.all(old.map((name) => rm(join(folder, name), { force: true })));
  }

  async function removeUpdates({ round, history }: SavedState): Promise<void> {
    const open = history.at(-1)?.final ? round + 1 : round;
    for (const [recorded, writing] of records) {
      if (recorded >= open) continue;
      await Promise.all(writing);
      records.delete(recorded);
    }
    const rounds = existsSync(updates) ? await readdir(updates) : [];
    const finished = rounds.filter((name) => Number(name) < open);
    await Promise.all(finished.map((name) => rm(join(updates, name), { recursive: true, force: true })));
  }

  function digestOf(model: NamedTensors): string {
    const digest = digests.get(model) ?? sha256Of(...safetensorsParts(model));
    digests.set(model, digest);
    return digest;
  }

  async function accepted(round: number, model: NamedTensors): Promise<Update[]> {
    const ofRound = join(updates, String(round));
    const names = existsSync(ofRound) ? (await readdir(ofRound)).sort() : [];
    const found: Update[] = [];
    for (const name of names.filter((name) => name.endsWith('.safetensors') && !name.startsWith('.'))) {
      const { tensors, metadata } = await readUpdate(join(ofRound, name));
      if (metadata.model !== digestOf(model)) continue;
      // Written by `record` of this very library; the workflow and the aggregator check what matters again.
      const update = fromJson(metadata.update ?? 'null') as Update;
      if (update.round === round) found.push({ ...update, payload: { ...update.payload, tensors } });
    }
    return found;
  }

  async function readUpdate(file: string): Promise<ReturnType<typeof decodeSafetensors>> {
    try {
      return decodeSafetensors(await readFile(file));
    } catch (cause) {
      if (!isConsiliumError(cause, 'DataError')) throw cause;
      const hint = 'Remove this file and continue with --resume: the site is asked again.';
      throw new DataError(`The update '${file}' cannot be used: it is not whole.`, { file, cause, hint });
    }
  }

  function record(update: Update, model: NamedTensors): void {
    const writing = write(update, digestOf(model));
    writing.catch(() => {}); // Told to whoever saves the round.
    records.set(update.round, [...(records.get(update.round) ?? []), writing]);
  }

  async function write(update: Update, model: string): Promise<void> {
    const { tensors, ...payload } = update.payload;
    const metadata = { update: toJson({ ...update, payload }), model };
    const file = join(updates, String(update.round), `${update.site}.${update.task}.safetensors`);
    await writeFileAtomic(file, safetensorsParts(tensors, metadata));
  }
}

export function sha256Of(...parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

function damaged(file: string, problem: string): DataError {
  return new DataError(`The checkpoint '${file}' cannot be used: ${problem}.`, {
    file,
    hint: 'Start the run anew without --resume; the folder is kept under a numbered name.',
  });
}
