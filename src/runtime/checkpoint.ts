/**
 * What the server needs to go on after it was killed: the global model and the history of the finished rounds, in files
 * that are complete or absent, and the updates of the round in progress.
 *
 * @module
 */
import { join } from 'node:path';
import { z } from 'zod';
import { DataError, isConsiliumError } from '../errors';
import { decodeSafetensors, safetensorsParts } from '../tensor/safetensors';
import type { NamedTensors } from '../tensor/tensor';
import { codeOf, flushFolder, namesIn, removeFile, workspaceError, writeFileAtomic } from '../util/atomic-file';
import { checkedJson, piecesWithCheck } from '../util/checked-json';
import type { Disk } from '../util/disk';
import { fromJson, toJson } from '../util/exact-json';
import { failpoint } from '../util/failpoint';
import { nodeDisk } from '../util/node-disk';
import { sha256Of } from '../util/sha256';
import type { RoundJournal } from '../workflows/workflow';
import { modelDigest, noteDigest } from './model-digest';
import { roundJournal } from './round-journal';
import { roundLine } from './round-line';
import { RunHistory } from './run-history';

const savedState = z.strictObject({
  version: z.literal(3),
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
  readonly best: BestModel | undefined;
  readonly history: RunHistory;
}

export interface BestModel {
  readonly round: number;
  /** Of the key metric. */
  readonly value: number;
  /** It lies on disk and is seldom asked for, so that it does not fill memory. Rejects with DataError when its file is damaged. */
  model(): Promise<NamedTensors>;
}

export interface CheckpointStore {
  /**
   * The last complete checkpoint, or `undefined` when there is none. A damaged one is passed over for the one before it, and
   * `warn` is told; so it is when one of the last two is missing.
   *
   * @throws DataError when both are damaged.
   */
  load(warn: (message: string) => void): Promise<Checkpoint | undefined>;
  /** On disk when it resolves, to the same with its best model there; a reader sees the old checkpoint or the new one, never a mixture. */
  save(checkpoint: Checkpoint): Promise<Checkpoint>;
  readonly journal: RoundJournal;
}

/** As it lies on disk; the history as it is kept in memory. */
type SavedState = Omit<z.infer<typeof savedState>, 'history'> & { readonly history: RunHistory };

export interface CheckpointStoreOptions {
  /** @default this machine's */
  readonly disk?: Disk | undefined;
  /** See `RoundJournalOptions`. @default false */
  readonly keepAll?: boolean | undefined;
  /** Told of a kept update that is damaged and passed over. @default that ends the run */
  readonly warn?: ((message: string) => void) | undefined;
}

export function checkpointStore(folder: string, options: CheckpointStoreOptions = {}): CheckpointStore {
  const { disk = nodeDisk } = options;
  const journal = roundJournal(join(folder, 'updates'), options);
  /** The last checkpoint that is known to be whole. */
  let whole: SavedState | undefined;
  /** SHA-256 of the model files that this process has written or read, and that are kept. */
  const written = new Map<string, string>();
  return { load, save, journal };

  async function load(warn: (message: string) => void): Promise<Checkpoint | undefined> {
    const [newest, before] = await savedStates(folder, disk);
    if (newest === undefined) return undefined;
    await flushFolder(folder, disk); // An earlier process may not have come to it, and what follows builds on it.
    if (before === undefined && newest !== firstState) {
      warn(
        `One of the last two checkpoints in '${folder}' is missing. Going on from '${newest}', the one that is left.`,
      );
    }
    try {
      return await read(join(folder, newest));
    } catch (error) {
      if (!isConsiliumError(error, 'DataError') || before === undefined) throw error;
      warn(`${error.message} Going back to the checkpoint before it.`);
      return read(join(folder, before));
    }
  }

  async function read(file: string): Promise<Checkpoint> {
    const state = await readState(file, disk);
    const { jobHash, round, model, memory, best, history } = state;
    const checkpoint = {
      jobHash,
      round,
      history,
      model: await readModel(model),
      memory: memory ? await readModel(memory) : new Map(),
      best: best ? onDisk(best) : undefined,
    };
    await checkpoint.best?.model(); // Damage is found here, not after the last round.
    whole = state;
    await journal.close(openRound(state)); // A kill may have come between the checkpoint and this.
    return checkpoint;
  }

  async function readModel({ file: name, sha256 }: { file: string; sha256: string }): Promise<NamedTensors> {
    const file = join(folder, name);
    const bytes = await readWhole(file, disk);
    if (sha256Of(bytes) !== sha256) throw damaged(file, 'its checksum differs');
    const { tensors } = decodeSafetensors(bytes);
    noteDigest(tensors, sha256);
    written.set(name, sha256);
    return tensors;
  }

  function onDisk({ round, value, ...file }: NonNullable<SavedState['best']>): BestModel {
    return { round, value, model: () => readModel(file) };
  }

  async function save(checkpoint: Checkpoint): Promise<Checkpoint> {
    const { jobHash, round, model, memory, best, history } = checkpoint;
    const state: SavedState = {
      version: 3,
      jobHash,
      round,
      model: await writeModel(`model-${round}`, async () => model),
      memory: memory.size > 0 ? await writeModel(`memory-${round}`, async () => memory) : null,
      best: best
        ? { ...(await writeModel(`model-${best.round}`, best.model)), round: best.round, value: best.value }
        : null,
      history,
    };
    await flushFolder(folder, disk); // The names of the models stand before a checkpoint says so.
    await writeFileAtomic(join(folder, stateName(state)), stateText(state), { disk });
    failpoint('checkpoint-switched', stateName(state));
    await removeOutdated(state, whole);
    whole = state;
    return { ...checkpoint, best: state.best ? onDisk(state.best) : undefined };
  }

  /** Writes the global model of a round, once: the best one was the current one before. */
  async function writeModel(name: string, get: () => Promise<NamedTensors>): Promise<{ file: string; sha256: string }> {
    const file = `${name}.safetensors`;
    const known = written.get(file);
    if (known !== undefined && (await disk.exists(join(folder, file)))) return { file, sha256: known };
    const model = await get();
    const parts = safetensorsParts(model);
    const writing = writeFileAtomic(join(folder, file), parts, { durableName: false, disk });
    const sha256 = modelDigest(model, () => parts);
    await writing;
    written.set(file, sha256);
    return { file, sha256 };
  }

  /** Keeps the last two whole checkpoints and what they name; drops all else, and what a kill left half-written. */
  async function removeOutdated(...states: readonly (SavedState | undefined)[]): Promise<void> {
    const keep = states.flatMap((state) =>
      state ? [stateName(state), state.model.file, state.memory?.file, state.best?.file] : [],
    );
    const old = (await namesIn(folder, disk)).filter((name) => ours.test(name) && !keep.includes(name));
    for (const name of written.keys()) if (!keep.includes(name)) written.delete(name);
    await journal.close(openRound(states[0]!));
    await Promise.all(old.map((name) => removeFile(join(folder, name), disk)));
  }
}

/** Files of a checkpoint, and what is left of one that a kill cut short. */
const ours = /^(model|memory)-\d+\.safetensors$|^state-\d+\.json$|^\..*\.tmp$/;

/** Checkpoints are numbered by the lines of their history, so that a new one never takes the place of a whole one. */
function stateName({ history }: Pick<SavedState, 'history'>): string {
  return `state-${history.length}.json`;
}

/** The only checkpoint that is ever alone. */
const firstState = stateName({ history: RunHistory.empty });

/** Its lines may be many: they are never one text. */
function stateText({ history, ...state }: SavedState): readonly Uint8Array[] {
  const text = Buffer.from(`${toJson(state).slice(0, -1)},"history":[\n`);
  return piecesWithCheck([text, ...history.text(), Buffer.from(']'), Buffer.from('}')]);
}

/** The checkpoints of a folder, the newest first. */
async function savedStates(folder: string, disk: Disk): Promise<string[]> {
  const names = await namesIn(folder, disk);
  const numberOf = (name: string) => Number(/^state-(\d+)\.json$/.exec(name)?.[1] ?? Number.NaN);
  return names.filter((name) => numberOf(name) >= 0).sort((a, b) => numberOf(b) - numberOf(a));
}

/** The first round whose updates are still of use. */
function openRound({ round, history }: SavedState): number {
  return history.last?.final ? round + 1 : round;
}

async function readState(file: string, disk: Disk): Promise<SavedState> {
  const checked = checkedJson((await readWhole(file, disk)).toString('utf8'));
  if (!checked) throw damaged(file, 'its checksum differs');
  const parsed = savedState.safeParse(fromJson(checked.json));
  if (!parsed.success) throw damaged(file, parsed.error.issues[0]?.message ?? 'unknown fields');
  return { ...parsed.data, history: RunHistory.of(parsed.data.history) };
}

async function readWhole(file: string, disk: Disk): Promise<Buffer> {
  return disk.readFile(file).catch((error: unknown) => {
    throw codeOf(error) === 'ENOENT' ? damaged(file, 'it is missing') : workspaceError('read', file, error);
  });
}

function damaged(file: string, problem: string): DataError {
  return new DataError(`The checkpoint '${file}' cannot be used: ${problem}.`, {
    file,
    hint: 'Start the run anew without --resume; the folder is kept under a numbered name.',
  });
}
