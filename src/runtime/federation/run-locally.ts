/**
 * Runs a job in a federation that is made for it, on this machine.
 *
 * @module
 */
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { ConfigError } from '../../errors';
import type { RunResult } from '../../jobs/environment';
import type { JobSpec } from '../../jobs/job-spec';
import { loadModules } from '../../jobs/load-modules';
import { workflowTraits } from '../../jobs/workflow-spec';
import { namesIn } from '../../util/atomic-file';
import { counted } from '../../util/counted';
import { checkParts } from '../part-check';
import type { PocEnvOptions } from '../poc-env';
import { prepareData } from '../prepare-data';
import { lockFolder, runFolder } from '../run-folder';
import type { RunWork } from '../run-handle';
import { type LocalFederation, startLocalFederation } from './local-federation';
import { runRemotely } from './run-remotely';

export interface LocalRunOptions extends PocEnvOptions {
  readonly workspace: string;
  /** What the job's relative paths start from. */
  readonly jobFolder: string;
}

/** @param started is told of the federation once it stands: a test may want to break something. */
export async function runLocally(
  job: JobSpec,
  options: LocalRunOptions,
  { signal, emit }: RunWork,
  started: (federation: LocalFederation) => void = () => {},
): Promise<RunResult> {
  const { workspace, jobFolder, include = [], keep = false, testNoiseSeed } = options;
  const sites = sitesOf(job, options.sites);
  const folder = runFolder(workspace, job.name);
  const unlock = await lockFolder(folder);
  const root = await mkdtemp(join(tmpdir(), 'consilium-poc-'));
  /** Ends the run when a process cannot go on. */
  const broken = new AbortController();
  const stop = AbortSignal.any([signal, broken.signal]);
  const work = { signal: stop, emit };
  let federation: LocalFederation | undefined;
  const log = (level: 'info' | 'warn', message: string) => emit({ kind: 'log', level, message });
  try {
    loadModules(job.modules, jobFolder);
    checkParts(job, jobFolder);
    await prepareData(job.data, workspace, emit);
    stop.throwIfAborted();
    log('info', `a server and ${sites.length} sites start in ${root}`);
    federation = await startLocalFederation({
      ...{ root, job, jobFolder, sites, include, testNoiseSeed },
      dataFolder: join(workspace, 'data'),
      crashed: ({ message }) => log('warn', `${message.split('\n')[0]} It is started again.`),
      failed: (error) => broken.abort(error),
      signal: stop,
    });
    started(federation);
    const { kit, bundle } = federation;
    const result = await runRemotely({ kit, job, bundle, workspace, name: job.name }, work);
    await keepSiteFiles(federation, sites, folder);
    return result;
  } catch (error) {
    if (federation) await tellFailures(federation, sites, emit);
    throw broken.signal.aborted ? broken.signal.reason : error;
  } finally {
    await federation?.stop();
    if (keep) log('info', `kits, logs and workspaces of the processes are kept in ${root}`);
    else await rm(root, { recursive: true, force: true });
    await unlock();
  }
}

function sitesOf({ sites, workflow }: JobSpec, count = sites.length): readonly string[] {
  const taking = `${counted(count, 'site')} ${count === 1 ? 'is' : 'are'} to take part`;
  if (count > sites.length) {
    throw new ConfigError(`${taking}, but the job has only ${sites.length}: ${sites.join(', ')}.`, {
      hint: "Add sites to the job's list, or name a smaller number.",
    });
  }
  const { minSites } = workflowTraits(workflow);
  if (count >= minSites) return sites.slice(0, count);
  throw new ConfigError(`${taking}, but a round of the job needs ${minSites} (workflow.minSites).`, {
    hint: `Let at least ${counted(minSites, 'site')} take part, or lower workflow.minSites in the job.`,
  });
}

/** Logs and accounts of privacy of the sites, where the simulator has them. Here the sites are this user's. */
async function keepSiteFiles(
  { siteWorkspace }: LocalFederation,
  sites: readonly string[],
  folder: ReturnType<typeof runFolder>,
): Promise<void> {
  for (const site of sites) {
    const jobs = join(siteWorkspace(site), 'jobs');
    for (const id of await namesIn(jobs)) {
      const { root, job } = folder.site(site);
      for (const name of ['log.txt', 'log.json']) await copy(join(jobs, id, name), join(root, name));
      await copy(join(jobs, id, 'privacy'), join(job, 'privacy'));
    }
  }
}

/** A server is told only the class of a site's failure; whoever runs all of it here owns the sites, and sees the cause. */
async function tellFailures(
  { siteWorkspace }: LocalFederation,
  sites: readonly string[],
  emit: RunWork['emit'],
): Promise<void> {
  for (const site of sites) {
    const jobs = join(siteWorkspace(site), 'jobs');
    for (const id of await namesIn(jobs)) {
      const text = await readFile(join(jobs, id, 'log.json'), 'utf8').catch(() => '');
      const last = text
        .trim()
        .split('\n')
        .map(logEntry)
        .findLast((entry) => entry?.level === 'warn');
      if (last) emit({ kind: 'log', level: 'warn', site, message: last.message.split('\n').slice(0, 3).join('\n') });
    }
  }
}

function logEntry(line: string) {
  return logged.safeParse(JSON.parse(line)).data;
}

const logged = z.looseObject({ level: z.string(), message: z.string() });

/** Nothing when there is none: a site may have refused the job, and not every job has filters. */
async function copy(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}
