import type { Environment, Run } from '../jobs/environment';
import type { JobSpec } from '../jobs/job-spec';

/** A recipe: typed options in, a job out. It runs nothing by itself. */
export interface Recipe {
  readonly job: JobSpec;
  /** Starts the job on an environment and returns at once. */
  execute(environment: Environment): Run;
}
