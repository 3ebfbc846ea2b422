/**
 * A federation on this machine: kits, a server process and a process for each site, all in one folder.
 *
 * @module
 */
import { symlink, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { isBratsData } from '../../jobs/data-spec';
import type { JobSpec } from '../../jobs/job-spec';
import { durableFolder } from '../../util/durable-folder';
import { nodeDisk } from '../../util/node-disk';
import { dataFolders, sliceFolder } from '../job-data';
import { createBundle, jobPath, type WrittenBundle } from '../provision/bundle';
import { type Kit, loadKit } from '../provision/kit';
import { projectSpec } from '../provision/project';
import { provision } from '../provision/provision';
import { tableOf } from '../site-features';
import { defaultSessionThreads } from '../slot/slots';
import { type SupervisedProcess, superviseProcess } from './supervised-process';

export interface LocalFederationOptions {
  /** A new folder: everything of the federation lies in it. */
  readonly root: string;
  readonly job: JobSpec;
  /** What the job's relative paths start from. */
  readonly jobFolder: string;
  /** Sites that are started: those of the job, or the first of them. */
  readonly sites: readonly string[];
  /** Files of the job's folder that its own code imports. */
  readonly include: readonly string[];
  /** Where synthetic data sets lie, for all sites. */
  readonly dataFolder: string;
  readonly testNoiseSeed: number | undefined;
  /** A process has ended by itself, and is started again. */
  readonly crashed: (error: Error) => void;
  /** A process cannot go on. */
  readonly failed: (error: Error) => void;
  /** Gives up the start. */
  readonly signal: AbortSignal;
}

export interface LocalFederation {
  /** Of the person who submits; with the port that the server listens at. */
  readonly kit: Kit;
  /** The job, signed. */
  readonly bundle: WrittenBundle;
  readonly server: SupervisedProcess;
  readonly sites: ReadonlyMap<string, SupervisedProcess>;
  /** The workspace of a site. */
  siteWorkspace(site: string): string;
  /** Ends all processes. */
  stop(): Promise<void>;
}

const person = 'poc-user';

/** Provisions and starts everything; resolves when all sites are connected. @throws what could not be started. */
export async function startLocalFederation(options: LocalFederationOptions): Promise<LocalFederation> {
  const { root, job, sites, testNoiseSeed, crashed, failed, signal } = options;
  const kits = await makeKits(root, job.sites);
  const bundle = await createBundle(
    job,
    { folder: options.jobFolder, include: options.include, kit: await loadKit(kits(person), 'admin') },
    join(root, 'bundle'),
    nodeDisk,
  );
  for (const site of sites) await configureSite(kits(site), site, bundle, options);
  const started: SupervisedProcess[] = [];
  const stop = async () => {
    // Sites first: their last words reach the server.
    const [server, ...others] = started;
    await Promise.all(others.map((one) => one.stop()));
    await server?.stop();
  };
  const start = (name: string, args: readonly string[]) => {
    const one = superviseProcess({ name, args, testNoiseSeed, crashed, failed, signal });
    started.push(one);
    return one;
  };
  const giveUp = () => void stop();
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    signal.throwIfAborted();
    const configured = configureServer(kits('server'), sites.length < job.sites.length);
    await configured(0);
    const server = start('server', ['server', '--kit', kits('server'), '--json']);
    const { port = 0 } = await server.ready;
    signal.throwIfAborted();
    await configured(port); // Where it is found again after a crash.
    const byName = new Map(
      sites.map((site) => [site, start(site, ['client', '--kit', kits(site), '--port', String(port), '--json'])]),
    );
    await Promise.all([...byName.values()].map(({ ready }) => ready));
    const kit = await loadKit(kits(person), 'admin');
    return {
      kit: { ...kit, server: { ...kit.server, port, adminPort: port } },
      ...{ bundle, server, stop },
      sites: byName,
      siteWorkspace: (site) => join(kits(site), 'workspace'),
    };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

async function makeKits(root: string, sites: readonly string[]): Promise<(name: string) => string> {
  const org = 'POC';
  const project = projectSpec.parse({
    version: 1,
    project: 'poc',
    server: { hosts: ['127.0.0.1', 'localhost'] }, // The port is found when the server starts.
    sites: sites.map((name) => ({ name, org })),
    admins: [{ name: person, org, role: 'admin' }],
    validityDays: 30,
  });
  const out = join(root, 'project');
  await provision(project, out);
  return (name) => join(out, 'kits', name);
}

/** How long a round waits for sites that will never come. */
const absentSeconds = 2;

/** @returns writes the server's settings with a port */
function configureServer(kit: string, someStayAway: boolean): (port: number) => Promise<void> {
  const settings = {
    ...{ host: '127.0.0.1', metricsPort: null, allowCode: 'everyone' },
    ...(someStayAway && { siteLostSeconds: absentSeconds }),
  };
  return (port) => writeFile(join(kit, 'server.yaml'), JSON.stringify({ ...settings, port }));
}

/** The job is this user's own, and so are the sites: they take its code, by its hashes, and find its data where the job says. */
async function configureSite(
  kit: string,
  site: string,
  { manifest }: WrittenBundle,
  { job, jobFolder, sites, dataFolder }: LocalFederationOptions,
): Promise<void> {
  const files = manifest.files.filter(({ path, to }) => to === 'all' && path !== jobPath).map(({ sha256 }) => sha256);
  const commands = job.trainer.kind === 'command' ? [job.trainer.command] : [];
  const policy = { code: { files, commands }, limits: { syntheticMb: 1e6 } };
  const settings = {
    data: dataAt(job, site, jobFolder),
    sessionThreads: job.engine.sessionThreads ?? defaultSessionThreads(Math.min(sites.length, availableParallelism())),
    reconnectMaxSeconds: 2,
  };
  // YAML holds JSON.
  await writeFile(join(kit, 'policy.yaml'), JSON.stringify(policy));
  await writeFile(join(kit, 'site.yaml'), JSON.stringify(settings));
  const workspace = join(kit, 'workspace');
  await durableFolder(dataFolder, nodeDisk);
  await durableFolder(workspace, nodeDisk);
  await symlink(dataFolder, join(workspace, 'data'), 'junction');
}

function dataAt(job: JobSpec, site: string, jobFolder: string): object {
  const { data } = job;
  if (data.kind === 'csv') return { csv: { path: tableOf(data, site, jobFolder) } };
  if (data.kind === 'slices') return { slices: { path: sliceFolder(data, '', jobFolder) } };
  if (data.kind !== 'brats18' || !isBratsData(data)) return {};
  const { baseDir, datalistDir } = dataFolders(data, '');
  const list = data.centralized ? 'site-All.json' : `${site}.json`;
  // As the simulator does, from the working directory.
  return { brats18: { baseDir: resolve(baseDir), datalist: resolve(datalistDir, list) } };
}
