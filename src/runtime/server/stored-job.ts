/**
 * What a server keeps of a job in `state.json`: whose it is, what it needs, and the states it has been in, with the reasons.
 *
 * @module
 */
import { join } from 'node:path';
import { z } from 'zod';
import { historyEntry, type JobReason, type JobState } from '../../protocol/admin-api';
import { blobRef, jobId, sha256Hex, siteName } from '../../protocol/wire/messages';

const count = z.int().nonnegative();

export const savedJob = z.strictObject({
  version: z.literal(1),
  id: jobId,
  /** Place among all jobs that were ever submitted. */
  order: count,
  /** Name of the job, which others may have too. */
  name: z.string(),
  /** Identity of what was submitted, and that of the job in it. */
  hash: sha256Hex,
  jobHash: sha256Hex,
  bundle: blobRef,
  /** Who signed it. */
  submitter: z.strictObject({ name: siteName, org: z.string() }),
  /** Who submitted or cloned it. */
  owner: siteName,
  clonedFrom: jobId.optional(),
  sites: z.array(siteName).nonempty(),
  /** Sites that a round needs. */
  minSites: count,
  rounds: count,
  /** What the job takes at each site. */
  resources: z.strictObject({ memoryMb: count, gpus: count }),
  /** What each site is sent of the bundle: `parts/<sha256>`. */
  parts: z.record(siteName, blobRef),
  /** Sites whose part was ended by their operator or an admin: by whom, and why. Earlier releases kept only which. */
  withdrawn: z.preprocess(whoIsKnown, z.record(siteName, z.string())),
  /** Finished rounds when the job ended, and what it was worth. */
  finishedRounds: count,
  metrics: z.record(z.string(), z.number().nullable()).default({}),
  /** Sites that refused it, and why. */
  refusals: z.record(siteName, z.string()).default({}),
  /** Sites that had taken it when it ended. */
  accepted: z.array(siteName).default([]),
  history: z.array(historyEntry).nonempty(),
});

function whoIsKnown(withdrawn: unknown): unknown {
  return Array.isArray(withdrawn) ? Object.fromEntries(withdrawn.map((site) => [site, 'by its operator'])) : withdrawn;
}

export type SavedJob = Readonly<z.output<typeof savedJob>>;

export function stateOf({ history }: Pick<SavedJob, 'history'>): JobState {
  return history.at(-1)!.state;
}

export function reasonOf({ history }: Pick<SavedJob, 'history'>): JobReason | undefined {
  return history.at(-1)!.reason;
}

/** When the job was submitted, and since when it is in its state. */
export function timesOf({ history }: Pick<SavedJob, 'history'>): {
  readonly submitted: string;
  readonly since: string;
} {
  return { submitted: history[0]!.time, since: history.at(-1)!.time };
}

/** Where the files of a job lie. */
export interface JobFolder {
  readonly root: string;
  readonly state: string;
  /** The bundle as it was submitted. */
  readonly bundle: string;
  /** What the bundle holds for the server. */
  readonly files: string;
  readonly job: string;
  /** What sites are sent. */
  readonly parts: string;
  /** Answers that arrive. */
  readonly spool: string;
  readonly events: string;
}

export function jobFolder(jobs: string, id: string): JobFolder {
  const root = join(jobs, id);
  return {
    root,
    state: join(root, 'state.json'),
    bundle: join(root, 'bundle'),
    files: join(root, 'files'),
    job: join(root, 'job.json'),
    parts: join(root, 'parts'),
    spool: join(root, 'spool'),
    events: join(root, 'events.jsonl'),
  };
}
