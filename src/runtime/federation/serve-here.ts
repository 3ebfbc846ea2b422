/**
 * A job at a server that is started for it in this process, and which sites elsewhere dial: their kits are made here.
 *
 * @module
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunResult } from '../../jobs/environment';
import type { JobSpec } from '../../jobs/job-spec';
import { nodeDisk } from '../../util/node-disk';
import { createBundle } from '../provision/bundle';
import { type Kit, loadKit } from '../provision/kit';
import { projectSpec } from '../provision/project';
import { provision } from '../provision/provision';
import type { RunWork } from '../run-handle';
import { startServer } from '../server/start-server';
import { runRemotely } from './run-remotely';

export interface ServeHereOptions {
  /** Where the authority and the kits lie; made at first use, and added to when a job has further sites. */
  readonly folder: string;
  /** Where sites dial; 0 takes any that is free. */
  readonly port: number;
  /** Where the files of the run go. */
  readonly workspace: string;
  /** What the job's relative paths start from. */
  readonly jobFolder: string;
}

/** Who submits the job. */
const operator = 'operator';

/** Folder of the kit that a participant of such a federation has. */
export function kitOf(folder: string, name: string): string {
  return join(folder, 'kits', name);
}

/** Runs a job to its end, and the server as long. @throws what stands in the way of the server, or ended the job. */
export async function serveHere(job: JobSpec, options: ServeHereOptions, work: RunWork): Promise<RunResult> {
  const { folder, port, workspace, jobFolder } = options;
  await makeKits(folder, job.sites);
  const serverKit = kitOf(folder, 'server');
  await writeFile(join(serverKit, 'server.yaml'), JSON.stringify({ port, metricsPort: null }));
  const server = await startServer({
    kit: serverKit,
    onLog: (level, message) =>
      level !== 'info' && level !== 'debug' && work.emit({ kind: 'log', level: 'warn', message }),
  });
  const temporary = await mkdtemp(join(tmpdir(), 'consilium-'));
  try {
    const kits = join(folder, 'kits');
    work.emit({
      kind: 'log',
      level: 'info',
      message: `the server listens at port ${server.port}; the kits of its sites are in ${kits}`,
    });
    const kit = at(await loadKit(kitOf(folder, operator), 'admin'), server.port);
    const bundle = await createBundle(
      job,
      { folder: jobFolder, kit, include: [] },
      join(temporary, 'bundle'),
      nodeDisk,
    );
    return await runRemotely({ kit, job, bundle, workspace, name: job.name }, work);
  } finally {
    await server.stop();
    await rm(temporary, { recursive: true, force: true });
  }
}

/** The kit's server, at the port that it listens at now. */
function at(kit: Kit, port: number): Kit {
  return { ...kit, server: { ...kit.server, port, adminPort: port } };
}

async function makeKits(folder: string, sites: readonly string[]): Promise<void> {
  const org = 'translation';
  const here = hostname().toLowerCase();
  const hosts = [
    '127.0.0.1',
    'localhost',
    ...(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(here) && here !== 'localhost' ? [here] : []),
  ];
  const project = projectSpec.parse({
    version: 1,
    project: 'mri-translation',
    server: { hosts },
    sites: sites.map((name) => ({ name, org })),
    admins: [{ name: operator, org, role: 'admin' }],
  });
  await provision(project, folder);
}
