/**
 * The answers of a site to the tasks of one job, on disk before anybody is told of them. An answer is asked for again when the
 * server has lost a checkpoint or the connection, and then the same bytes leave: fresh noise on the same update would spend
 * privacy twice.
 *
 * What there is to know of an answer is its file's name: `<round>.<task>.<sha256>.answer`, and `.told` once the server has said
 * what became of it.
 *
 * @module
 */
import { join } from 'node:path';
import type { Update } from '../../protocol/messages';
import { updateFileParts } from '../../protocol/update-file';
import type { StoredAnswer } from '../../transport/agent-types';
import { type BlobSource, type FileBlob, fileBlob, memoryBlob } from '../../transport/blobs';
import { namesIn, writeFileAtomic } from '../../util/atomic-file';
import type { Disk } from '../../util/disk';

/** Rounds whose answers are kept: a server that goes back goes back by less. */
const roundsKept = 4;

interface Kept extends StoredAnswer {
  readonly task: string;
  told: boolean;
  readonly source: FileBlob;
}

export interface AnswerStore {
  of(task: string): StoredAnswer | undefined;
  source(sha256: string): BlobSource | undefined;
  /** Answers that the server has not said anything about. */
  untold(): readonly (StoredAnswer & { readonly task: string })[];
  /** Durable when it resolves. */
  save(task: string, update: Update, model: string): Promise<StoredAnswer>;
  told(task: string): Promise<void>;
  /** Closes the files. What is kept stays. */
  close(): Promise<void>;
  /** Knows nothing any more, because the files are about to be removed. */
  forget(): Promise<void>;
}

export async function openAnswerStore(disk: Disk, folder: string): Promise<AnswerStore> {
  const answers = new Map<string, Kept>();
  for (const name of await namesIn(folder, disk)) {
    const kept = await keptIn(disk, folder, name);
    if (kept) answers.set(kept.task, kept);
  }
  return {
    of(task) {
      const kept = answers.get(task);
      return kept && { round: kept.round, blob: kept.blob };
    },
    source: (sha256) => [...answers.values()].find(({ blob }) => blob.sha256 === sha256)?.source,
    untold: () =>
      [...answers.values()].filter(({ told }) => !told).map(({ task, round, blob }) => ({ task, round, blob })),
    save,
    told,
    close,
    async forget() {
      await close();
      answers.clear();
    },
  };

  async function close(): Promise<void> {
    await Promise.all([...answers.values()].map(({ source }) => source.close()));
  }

  async function save(task: string, update: Update, model: string): Promise<StoredAnswer> {
    const parts = updateFileParts(update, model);
    const source = memoryBlob(parts);
    const { round } = update;
    const answer = { round, blob: source.ref };
    const path = join(folder, nameOf({ task, told: false, ...answer }));
    await writeFileAtomic(path, parts, { disk });
    answers.set(task, { task, told: false, source: fileBlob(disk, path, source.ref), ...answer });
    await prune(round);
    return answer;
  }

  async function told(task: string): Promise<void> {
    const kept = answers.get(task);
    if (!kept || kept.told) return;
    kept.told = true;
    await kept.source.move(join(folder, nameOf(kept))); // Not flushed: to be told twice does no harm.
  }

  async function prune(round: number): Promise<void> {
    for (const kept of [...answers.values()].filter((one) => one.round <= round - roundsKept)) {
      answers.delete(kept.task);
      await kept.source.close();
      await disk.remove(join(folder, nameOf(kept)));
    }
  }
}

function nameOf({ round, task, blob, told }: Pick<Kept, 'round' | 'task' | 'blob' | 'told'>): string {
  return `${round}.${task}.${blob.sha256}.${told ? 'told' : 'answer'}`;
}

const pattern = /^(\d{1,15})\.([0-9a-f]{64})\.([0-9a-f]{64})\.(answer|told)$/;

async function keptIn(disk: Disk, folder: string, name: string): Promise<Kept | undefined> {
  const [, round, task, sha256, state] = pattern.exec(name) ?? [];
  if (round === undefined || task === undefined || sha256 === undefined) return undefined;
  const path = join(folder, name);
  const file = await disk.open(path, 'read');
  const size = await file.size().finally(() => file.close());
  const blob = { sha256, size };
  return { round: Number(round), task, blob, told: state === 'told', source: fileBlob(disk, path, blob) };
}
