/**
 * A job that is signed with a kit, submitted, followed to its end, and whose files are fetched.
 *
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunResult } from '../../jobs/environment';
import type { JobSpec } from '../../jobs/job-spec';
import { nodeDisk } from '../../util/node-disk';
import { createBundle } from '../provision/bundle';
import { loadKit } from '../provision/kit';
import type { RunWork } from '../run-handle';
import { runRemotely } from './run-remotely';

export interface SubmitAndFollowOptions {
  /** Folder of the kit of whoever submits. */
  readonly kit: string;
  readonly workspace: string;
  readonly include: readonly string[];
  /** What the job's relative paths start from. */
  readonly jobFolder: string;
}

export async function submitAndFollow(
  job: JobSpec,
  { kit: kitFolder, workspace, include, jobFolder }: SubmitAndFollowOptions,
  work: RunWork,
): Promise<RunResult> {
  const kit = await loadKit(kitFolder, 'admin');
  const temporary = await mkdtemp(join(tmpdir(), 'consilium-'));
  try {
    const bundle = await createBundle(job, { folder: jobFolder, kit, include }, join(temporary, 'bundle'), nodeDisk);
    return await runRemotely({ kit, job, bundle, workspace }, work);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}
