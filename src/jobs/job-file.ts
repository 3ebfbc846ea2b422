/**
 * Job files on disk.
 *
 * @module
 */
import { readBounded } from '../util/read-bounded';
import type { JobSpec } from './job-spec';
import { checkJobYaml, type JobCheck, type JobFromYamlOptions, jobFromYaml } from './job-yaml';
import { maxJobBytes } from './yaml-guard';

/** The job in a file, which is never read beyond the size that a job may have. @throws ConfigError as `jobFromYaml`. */
export async function readJobFile(path: string, options: JobFromYamlOptions = {}): Promise<JobSpec> {
  return jobFromYaml(await readBounded(path, maxJobBytes, 'job file'), path, options);
}

/** The same without throwing for what the file holds. @throws ConfigError when the file cannot be read. */
export async function checkJobFile(path: string, options: JobFromYamlOptions = {}): Promise<JobCheck> {
  return checkJobYaml(await readBounded(path, maxJobBytes, 'job file'), options);
}
