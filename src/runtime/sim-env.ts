/**
 * The simulator: a server and its sites in one process tree.
 *
 * @module
 */
import { resolve } from 'node:path';
import { ConfigError } from '../errors';
import { checkKeys } from '../jobs/check-keys';
import type { Environment, Run, RunOptions } from '../jobs/environment';
import type { JobSpec } from '../jobs/job-spec';
import { refuseWhileLoading } from '../jobs/load-modules';
import { loadModule } from '../util/load-module';
import { abortableRun } from './abortable-run';

export interface SimEnvOptions {
  /** Folder of runs and synthetic data. @default './consilium-workspace' */
  readonly workspace?: string;
  /** Sites that train at the same time, each in its own worker. @default the number of cores, at most the number of sites; 1 on `webgpu` */
  readonly threads?: number;
  /** Continue the run of the same name where it stands, instead of starting anew. @default false */
  readonly resume?: boolean;
  /**
   * NOT PRIVATE: draws privacy noise from this seed, so that a test can repeat a run. Everything it touches is labelled as
   * not differentially private.
   */
  readonly testNoiseSeed?: number;
}

/** Total by type. */
const optionNames: Readonly<Record<keyof SimEnvOptions, true>> = {
  workspace: true,
  threads: true,
  resume: true,
  testNoiseSeed: true,
};

export class SimEnv implements Environment {
  readonly #options: SimEnvOptions;

  /** @throws ConfigError for an unknown option, or a number of threads below 1. */
  constructor(options: SimEnvOptions = {}) {
    checkKeys('SimEnv', options, Object.keys(optionNames));
    const { threads } = options;
    if (threads !== undefined && (!Number.isInteger(threads) || threads < 1)) {
      throw new ConfigError(`threads must be a whole number of at least 1, but is ${threads}.`);
    }
    this.#options = options;
  }

  /** Starts the job in this process and returns at once. */
  run(job: JobSpec, { folder = process.cwd(), signal }: RunOptions = {}): Run {
    refuseWhileLoading();
    const workspace = resolve(this.#options.workspace ?? 'consilium-workspace');
    const options = { ...this.#options, workspace, jobFolder: resolve(folder) };
    return abortableRun(job.name, signal, async (work) => {
      // The first run loads the engine: importing the library stays quick.
      const { simulate } = await loadModule<typeof import('./simulate')>(__dirname, 'simulate');
      return simulate(job, options, work);
    });
  }
}
