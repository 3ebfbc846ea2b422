/**
 * A job as a folder that can be carried elsewhere: the job, and the schema by which editors complete and check it.
 *
 * @module
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '../errors';
import { jobSchemaText } from '../jobs/job-schema';
import type { JobSpec } from '../jobs/job-spec';
import { jobToYaml } from '../jobs/job-yaml';
import { workspaceError, writeFileAtomic } from '../util/atomic-file';
import { shellWord } from './shell-word';

export interface ExportedJob {
  readonly job: string;
  readonly schema: string;
}

/**
 * Writes `job.yaml` and `job.schema.json` into a new or empty folder, each as a whole and the job last.
 *
 * @throws ConfigError when the folder holds anything: nothing is overwritten.
 */
export async function exportJob(job: JobSpec, folder: string): Promise<ExportedJob> {
  const entries = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return [];
    if (cause.code === 'ENOTDIR') throw refusal(folder, 'is no folder');
    throw workspaceError('list', folder, cause);
  });
  if (entries.length > 0) throw refusal(folder, `is not empty: it holds '${entries[0]}'`);
  const files = { job: join(folder, 'job.yaml'), schema: join(folder, 'job.schema.json') };
  await writeFileAtomic(files.schema, jobSchemaText());
  await writeFileAtomic(files.job, jobToYaml(job, { schema: './job.schema.json' }));
  return files;
}

/** What to do with an exported job. */
export function exportedLine({ job }: ExportedJob): string {
  return `The job is in ${job}. Run it with: npx consilium simulate ${shellWord(job)}\n`;
}

function refusal(folder: string, why: string): ConfigError {
  return new ConfigError(`The job cannot be exported: '${folder}' ${why}.`, {
    hint: 'Name a folder that is new or empty; nothing is overwritten.',
  });
}
