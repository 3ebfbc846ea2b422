/**
 * A running federation: a server, and sites that have dialled in.
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

export interface ProdEnvOptions {
  /** Folder of the startup kit of whoever submits the jobs: a researcher or an admin. */
  readonly kit: string;
  /** Where the files of finished runs go, a folder for each, by the job's name at the server. @default './consilium-workspace' */
  readonly workspace?: string;
  /** Files of the job's folder that its own code imports: they are signed and sent with it. @default none */
  readonly include?: readonly string[];
}

/** Jobs are submitted, followed through lost connections, and their files are fetched. */
export class ProdEnv implements Environment {
  readonly #options: ProdEnvOptions;

  /** @throws ConfigError when no kit is named. */
  constructor(options: ProdEnvOptions) {
    if (typeof options?.kit !== 'string' || options.kit === '') {
      throw new ConfigError("ProdEnv needs the folder of a startup kit: new ProdEnv({ kit: 'kits/ada' }).");
    }
    this.#options = options;
  }

  /**
   * Submits the job and returns at once. The same job again is the same run: one that is there already is followed. To abort the
   * run aborts the job at the server.
   */
  run(job: JobSpec, { folder = process.cwd(), signal }: RunOptions = {}): Run {
    refuseWhileLoading();
    const { kit, workspace = 'consilium-workspace', include = [] } = this.#options;
    const options = { kit: resolve(kit), workspace: resolve(workspace), include, jobFolder: resolve(folder) };
    const hint = 'What its rounds have left is kept at the server: `consilium download` fetches it.';
    return abortableRun(job.name, { signal, hint }, async (work) => {
      const { submitAndFollow } = await loadModule<typeof import('./federation/submit-and-follow')>(
        join(__dirname, 'federation'),
        'submit-and-follow',
      );
      return submitAndFollow(job, options, work);
    });
  }
}
