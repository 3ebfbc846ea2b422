/**
 * A whole federation on this machine: kits, a server and a site for each of the job's, as processes that end with the run.
 *
 * @module
 */
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunResult } from '../../jobs/environment';
import type { JobSpec } from '../../jobs/job-spec';
import { loadKit } from '../provision/kit';
import { projectSpec } from '../provision/project';
import { provision } from '../provision/provision';
import { archiveEarlierRun, runFolder } from '../run-folder';
import type { RunWork } from '../run-handle';
import { type LocalProcess, startLocalProcess } from './local-process';
import { runRemotely } from './run-remotely';

export interface LocalRunOptions {
  readonly job: JobSpec;
  /** What relative paths of the job start from. */
  readonly folder: string;
  readonly workspace: string;
  readonly keep?: boolean;
  readonly testNoiseSeed?: number;
}

const serverName = 'server';
const submitter = 'submitter';

/** Runs the job to its end; all processes have ended when the promise settles. @throws what ended it. */
export async function runLocally(options: LocalRunOptions, work: RunWork): Promise<RunResult> {
  const { job, folder, workspace, keep = false } = options;
  const place = await mkdtemp(join(tmpdir(), 'consilium-poc-'));
  const federation = await startFederation(place, options, work);
  try {
    const kit = await loadKit(kitOf(place, submitter), 'admin');
    const resultFolder = async () => {
      const target = runFolder(workspace, job.name);
      await archiveEarlierRun(target);
      return target.root;
    };
    const result = runRemotely({ job, folder, kit, resultFolder }, work);
    return await Promise.race([result, federation.broken]);
  } finally {
    await federation.stop();
    if (keep) work.emit({ kind: 'log', level: 'info', message: `Kits and workspaces are kept in ${place}.` });
    else await rm(place, { recursive: true, force: true });
  }
}

interface LocalFederation {
  /** Rejects when one of the processes has ended by itself. */
  readonly broken: Promise<never>;
  stop(): Promise<void>;
}

async function startFederation(
  place: string,
  { job, testNoiseSeed }: LocalRunOptions,
  { emit, signal }: RunWork,
): Promise<LocalFederation> {
  const project = projectSpec.parse({
    version: 1,
    project: 'poc',
    server: { hosts: ['127.0.0.1'], port: await freePort() },
    sites: job.sites.map((name) => ({ name, org: name })),
    admins: [{ name: submitter, org: 'poc', role: 'admin' }],
  });
  await provision(project, place);
  await settle(place, job);
  const processes: LocalProcess[] = [];
  const stop = async () => {
    await Promise.all(processes.map((process) => process.stop()));
  };
  const start = async (command: 'server' | 'client', name: string) => {
    const args = [command, '--kit', kitOf(place, name), '--json'];
    const told = (message: string) => emit({ kind: 'log', level: 'info', message });
    const process = startLocalProcess(name, args, told, testNoiseSeed);
    processes.push(process);
    await process.ready(signal);
  };
  try {
    await start('server', serverName);
    await Promise.all(job.sites.map((site) => start('client', site)));
  } catch (error) {
    await stop();
    throw error;
  }
  const broken = Promise.race(processes.map((process) => process.ended));
  broken.catch(() => {}); // Told to whoever waits for the run.
  return { broken, stop };
}

function kitOf(place: string, name: string): string {
  return join(place, 'kits', name);
}

/** The job is this user's own, and so are all the sites: its code may run, and nobody else looks at the processes. */
async function settle(place: string, { sites }: JobSpec): Promise<void> {
  await appendFile(
    join(kitOf(place, serverName), 'server.yaml'),
    '\nhost: 127.0.0.1\nmetricsPort: null\nallowCode: everyone\n',
  );
  for (const site of sites) await writeFile(join(kitOf(place, site), 'policy.yaml'), 'version: 1\ncode: any\n');
}

/** A port that nobody listens at. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { readonly port: number };
      probe.close(() => resolve(port));
    });
  });
}
