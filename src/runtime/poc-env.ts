/**
 * A real server and real sites as processes of this machine, for one job at a time.
 *
 * @module
 */
import { join, resolve } from 'node:path';
import { ConfigError } from '../errors';
import type { Environment, Run, RunOptions } from '../jobs/environment';
import type { JobSpec } from '../jobs/job-spec';
import { refuseWhileLoading } from '../jobs/load-modules';
import { loadModule } from '../util/load-module';
import { abortableRun } from './abortable-run';

export interface PocEnvOptions {
  /** Folder of runs and synthetic data. @default './consilium-workspace' */
  readonly workspace?: string;
  /** How many of the job's sites take part, the first of them; the others stay away, as in a bad week. @default all */
  readonly sites?: number;
  /** Files of the job's folder that its own code imports: they are signed and sent with it. @default none */
  readonly include?: readonly string[];
  /** Keep the folder of kits and of what each process left; its path is said in the log. @default false */
  readonly keep?: boolean;
  /** NOT PRIVATE: see `SimEnvOptions.testNoiseSeed`. */
  readonly testNoiseSeed?: number;
}

/**
 * Provisions a federation in a temporary folder, starts its server and a process for each site of the job, submits the job, and
 * ends them all: what a real federation does, on one machine. The sites take the code of this job, by its hashes.
 */
export class PocEnv implements Environment {
  readonly #options: PocEnvOptions;

  /** @throws ConfigError for a number of sites below 1. */
  constructor(options: PocEnvOptions = {}) {
    const { sites } = options;
    if (sites !== undefined && (!Number.isInteger(sites) || sites < 1)) {
      throw new ConfigError(`sites must be a whole number of at least 1, but is ${sites}.`);
    }
    this.#options = options;
  }

  /** Starts the processes and the job, and returns at once. When the run has ended, so have all processes. */
  run(job: JobSpec, { folder = process.cwd(), signal }: RunOptions = {}): Run {
    refuseWhileLoading();
    const workspace = resolve(this.#options.workspace ?? 'consilium-workspace');
    const options = { ...this.#options, workspace, jobFolder: resolve(folder) };
    const hint = 'A federation on this machine ends with its run; `consilium server` and `client` go on.';
    return abortableRun(job.name, { signal, hint }, async (work) => {
      const { runLocally } = await loadModule<typeof import('./federation/run-locally')>(
        join(__dirname, 'federation'),
        'run-locally',
      );
      return runLocally(job, options, work);
    });
  }
}
