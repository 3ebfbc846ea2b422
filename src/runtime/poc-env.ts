/**
 * A real server and real sites as processes of this machine, for one job at a time.
 *
 * @module
 */
import { join, resolve } from 'node:path';
import type { Environment, Run, RunOptions } from '../jobs/environment';
import type { JobSpec } from '../jobs/job-spec';
import { refuseWhileLoading } from '../jobs/load-modules';
import { loadModule } from '../util/load-module';
import { abortableRun } from './abortable-run';

export interface PocEnvOptions {
  /** Folder of runs. @default './consilium-workspace' */
  readonly workspace?: string;
  /** Keep the folder of kits and of what each process left; its path is said in the log. @default false */
  readonly keep?: boolean;
  /** NOT PRIVATE: see `SimEnvOptions.testNoiseSeed`. */
  readonly testNoiseSeed?: number;
}

/**
 * Provisions a federation in a temporary folder, starts its server and a process for each site of the job, submits the job, and
 * ends them all: what a real federation does, on one machine.
 */
export class PocEnv implements Environment {
  readonly #options: PocEnvOptions;

  constructor(options: PocEnvOptions = {}) {
    this.#options = options;
  }

  /** Starts the processes and the job, and returns at once. */
  run(job: JobSpec, { folder = process.cwd(), signal }: RunOptions = {}): Run {
    refuseWhileLoading();
    const { workspace = 'consilium-workspace', ...options } = this.#options;
    return abortableRun(job.name, signal, async (work) => {
      const { runLocally } = await loadModule<typeof import('./federation/run-locally')>(
        join(__dirname, 'federation'),
        'run-locally',
      );
      return runLocally({ job, folder: resolve(folder), workspace: resolve(workspace), ...options }, work);
    });
  }
}
