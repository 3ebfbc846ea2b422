/**
 * Who took part in a task that closed without some of its sites, on disk beside the updates that were counted: others have
 * built on that, so a run that goes on after an interruption counts the same ones.
 *
 * @module
 */
import { join } from 'node:path';
import { z } from 'zod';
import { DataError } from '../errors';
import type { Task } from '../protocol/messages';
import { updateFields } from '../protocol/update-file';
import { siteName } from '../protocol/wire/messages';
import { codeOf, flushFolder, workspaceError, writeFileAtomic } from '../util/atomic-file';
import { checkedJson, withCheck } from '../util/checked-json';
import type { Disk } from '../util/disk';
import { toJson } from '../util/exact-json';
import { sha256Of } from '../util/sha256';
import type { Participation, RoundJournal } from '../workflows/workflow';
import { modelDigest } from './model-digest';
import { asName } from './update-file-name';

/** Every field of a participation: one that is new there does not compile before it is here. */
const fields = {
  site: siteName,
  status: z.enum(['ok', 'failed', 'late', 'rejected']),
  reason: z.string().optional(),
  spent: updateFields.privacy.optional(),
  update: z.strictObject(updateFields).optional(),
} satisfies Record<keyof Participation, z.ZodType>;
const participation = z.strictObject(fields);
const conclusion = z.strictObject({ version: z.literal(1), participations: z.array(participation) });

interface ConclusionsOptions {
  /** Of the journal. */
  readonly folder: string;
  readonly disk: Disk;
  /** Whether the journal has the update of a site that took part. */
  readonly isKept: (
    of: { readonly site: string; readonly round: number; readonly task: string },
    model: string,
  ) => boolean;
}

export function conclusions({
  folder,
  disk,
  isKept,
}: ConclusionsOptions): Required<Pick<RoundJournal, 'conclude' | 'concluded'>> {
  return {
    async conclude(task, participations) {
      const text = withCheck(toJson({ version: 1, participations }));
      await writeFileAtomic(fileOf(task), `${text}\n`, { disk });
    },
    async concluded(task) {
      const file = fileOf(task);
      const bytes = await disk.readFile(file).catch((error: unknown) => {
        if (codeOf(error) === 'ENOENT') return undefined;
        throw workspaceError('read', file, error);
      });
      if (!bytes) return undefined;
      await flushFolder(join(folder, String(task.round)), disk); // A process that was killed may not have come to it.
      const participations = read(bytes, file);
      for (const { site, status } of participations) {
        if (status === 'ok' && !isKept({ ...task, task: task.kind, site }, modelDigest(task.model))) {
          throw damaged(file, `the update of ${site}, which was counted, is missing or damaged`);
        }
      }
      return participations;
    },
  };

  /** Tasks of a round may differ in anything. */
  function fileOf({ kind, round, model, settings }: Task): string {
    const what = sha256Of(Buffer.from(toJson([kind, modelDigest(model), settings ?? null]))).slice(0, 16);
    return join(folder, String(round), `${asName(kind)}.${what}.concluded.json`);
  }
}

function read(bytes: Buffer, file: string): Participation[] {
  const checked = checkedJson(bytes.toString('utf8').trimEnd());
  if (!checked) throw damaged(file, 'its checksum differs');
  const parsed = conclusion.safeParse(JSON.parse(checked.json));
  if (!parsed.success) throw damaged(file, parsed.error.issues[0]?.message ?? 'unknown fields');
  return parsed.data.participations.map(({ site, status, reason, spent, update }) => ({
    site,
    status,
    ...(reason !== undefined && { reason }),
    ...(spent && { spent }),
    ...(update && { update }),
  }));
}

function damaged(file: string, problem: string): DataError {
  return new DataError(`Who took part in a closed round is not known: '${file}' cannot be used, ${problem}.`, {
    file,
    hint: 'Restore the folder from a copy. Without it the round could count other sites than those that later work built on.',
  });
}
