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
import { DataError } from '../errors';
import type { Update } from '../protocol/messages';
import { decodeSafetensors, safetensorsParts } from '../tensor/safetensors';
import type { NamedTensors } from '../tensor/tensor';
import { writeFileAtomic } from '../util/atomic-file';
import { fromJson, toJson } from '../util/exact-json';
import type { RoundJournal } from '../workflows/fed-avg';
import { type RoundLine, roundLine } from './round-line';

const savedState = z.strictObject({
  version: z.literal(1),
  jobHash: z.string(),
  /** Finished rounds. */
  round: z.int().nonnegative(),
  /** File of the model after them, and the SHA-256 of its bytes. */
  model: z.strictObject({ file: z.string(), sha256: z.string() }),
  /** The best model so far among those that were validated. */
  best: z.strictObject({ file: z.string(), round: z.int().nonnegative(), value: z.number() }).nullable(),
  history: z.array(roundLine),
});

export interface Checkpoint {
  readonly jobHash: string;
  readonly round: number;
  readonly model: NamedTensors;
  readonly best: { readonly round: number; readonly value: number; readonly model: NamedTensors } | undefined;
  readonly history: readonly RoundLine[];
}

export interface CheckpointStore {
  /** The last complete checkpoint, or `undefined` when there is none. @throws DataError when its model is damaged. */
  load(): Promise<Checkpoint | undefined>;
  /** On disk when it resolves; a reader sees the old checkpoint or the new one, never a mixture. */
  save(checkpoint: Checkpoint): Promise<void>;
  readonly journal: RoundJournal;
}

export function checkpointStore(folder: string): CheckpointStore {
  const stateFile = join(folder, 'state.json');
  const updates = join(folder, 'updates');
  return { load, save, journal: { accepted, record } };

  async function load(): Promise<Checkpoint | undefined> {
    if (!existsSync(stateFile)) return undefined;
    const parsed = savedState.safeParse(fromJson(await readFile(stateFile, 'utf8')));
    if (!parsed.success) throw damaged(stateFile, parsed.error.issues[0]?.message ?? 'unknown fields');
    const { jobHash, round, model, best, history } = parsed.data;
    return {
      jobHash,
      round,
      history,
      model: await readModel(model.file, model.sha256),
      best: best ? { round: best.round, value: best.value, model: await readModel(best.file) } : undefined,
    };
  }

  async function readModel(name: string, sha256?: string): Promise<NamedTensors> {
    const file = join(folder, name);
    const bytes = await readFile(file);
    if (sha256 !== undefined && sha256Of(bytes) !== sha256) throw damaged(file, 'its checksum differs');
    return decodeSafetensors(bytes).tensors;
  }

  async function save({ jobHash, round, model, best, history }: Checkpoint): Promise<void> {
    const bytes = safetensorsParts(model);
    const modelFile = `model-${round}.safetensors`;
    const writes = [writeFileAtomic(join(folder, modelFile), bytes)];
    const bestFile = best && `best-${best.round}.safetensors`;
    if (best && bestFile && !existsSync(join(folder, bestFile))) {
      writes.push(writeFileAtomic(join(folder, bestFile), safetensorsParts(best.model)));
    }
    await Promise.all(writes);
    const state: z.infer<typeof savedState> = {
      version: 1,
      jobHash,
      round,
      model: { file: modelFile, sha256: sha256Of(...bytes) },
      best: best && bestFile ? { file: bestFile, round: best.round, value: best.value } : null,
      history: [...history],
    };
    await writeFileAtomic(stateFile, toJson(state));
    await removeOutdated([modelFile, `model-${round - 1}.safetensors`, bestFile ?? '']);
  }

  /** Keeps the named models (the previous one too) and drops the updates of finished rounds. */
  async function removeOutdated(keep: readonly string[]): Promise<void> {
    const models = (await readdir(folder)).filter((name) => /^(model|best)-\d+\.safetensors$/.test(name));
    const outdated = models.filter((name) => !keep.includes(name)).map((name) => join(folder, name));
    await Promise.all([...outdated, updates].map((path) => rm(path, { recursive: true, force: true })));
  }

  async function accepted(round: number): Promise<Update[]> {
    const names = existsSync(updates) ? (await readdir(updates)).sort() : [];
    const found: Update[] = [];
    for (const name of names.filter((name) => name.endsWith('.safetensors') && !name.startsWith('.'))) {
      const { tensors, metadata } = decodeSafetensors(await readFile(join(updates, name)));
      // Written by `record` of this very library; the workflow and the aggregator check what matters again.
      const update = fromJson(metadata.update ?? 'null') as Update;
      if (update.round === round) found.push({ ...update, payload: { ...update.payload, tensors } });
    }
    return found;
  }

  async function record(update: Update): Promise<void> {
    const { tensors, ...payload } = update.payload;
    const metadata = { update: toJson({ ...update, payload }) };
    const file = join(updates, `${update.site}.${update.task}.safetensors`);
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
