/**
 * Job files: a job as YAML and back.
 *
 * @module
 */
import { ConfigError } from '../errors';
import { type JobSpec, parseJob } from './job-spec';
import { refuseDangerousYaml } from './yaml-guard';

/** Loaded with the first job file: importing the library stays quick. */
function yaml(): typeof import('yaml') {
  return require('yaml');
}

/** The job as YAML. Equal jobs give equal bytes. */
export function jobToYaml(job: JobSpec): string {
  return `# A Consilium job. Run it with: npx consilium simulate <this file>\n${yaml().stringify(job)}`;
}

/** Reads a job file. @throws ConfigError with line and column for bad YAML, with the path of the field for a bad job. */
export function jobFromYaml(text: string, source = 'job.yaml'): JobSpec {
  refuseDangerousYaml(text, source);
  const document = yaml().parseDocument(text, { uniqueKeys: true, merge: false, schema: 'core' });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem) {
    throw new ConfigError(`${source} is not valid YAML: ${problem.message}`, { hint: 'Correct the line named above.' });
  }
  return parseJob(document.toJS({ maxAliasCount: 0 }), source);
}
