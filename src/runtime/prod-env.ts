/**
 * A running federation: a server, and sites that have dialled in.
 *
 * @module
 */
import { join, resolve } from 'node:path';
import type { Environment, Run, RunOptions } from '../jobs/environment';
import type { JobSpec } from '../jobs/job-spec';
import { refuseWhileLoading } from '../jobs/load-modules';
import { loadModule } from '../util/load-module';
import { abortableRun } from './abortable-run';

export interface ProdEnvOptions {
  /** Folder of the startup kit of whoever submits the jobs: a researcher or an admin. */
  readonly kit: string;
  /** Where the files of finished runs go, a folder for each. @default './consilium-workspace' */
  readonly workspace?: string;
}

/** Jobs are submitted, followed through lost connections, and their files are fetched. */
export class ProdEnv implements Environment {
  readonly #options: ProdEnvOptions;

  constructor(options: ProdEnvOptions) {
    this.#options = options;
  }

  /**
   * Submits the job and returns at once. The same job again is the same run: one that is there already is followed. To abort the
   * run aborts the job at the server.
   */
  run(job: JobSpec, { folder = process.cwd(), signal }: RunOptions = {}): Run {
    refuseWhileLoading();
    const { kit: kitFolder, workspace = 'consilium-workspace' } = this.#options;
    return abortableRun(job.name, signal, async (work) => {
      const { loadKit } = await loadModule<typeof import('./provision/kit')>(join(__dirname, 'provision'), 'kit');
      const { runRemotely } = await loadModule<typeof import('./federation/run-remotely')>(
        join(__dirname, 'federation'),
        'run-remotely',
      );
      const kit = await loadKit(kitFolder, 'admin');
      const resultFolder = async (id: string) => resolve(workspace, id);
      return runRemotely({ job, folder: resolve(folder), kit, resultFolder }, work);
    });
  }
}
