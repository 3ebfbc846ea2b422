/**
 * A real site: its kit, its workspace, its connection to the server, around what it does with jobs.
 *
 * @module
 */
import { randomInt, randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import { AbortedError, errorToData } from '../../errors';
import { openRunLog, type RunLog } from '../../tracking/run-log';
import { runAgent } from '../../transport/agent';
import type { AgentEvent, TaskProgress } from '../../transport/agent-types';
import { nodeClock } from '../../util/clock';
import { durableFolder } from '../../util/durable-folder';
import { nodeDisk } from '../../util/node-disk';
import { type AuditEvent, openAudit } from '../audit';
import { bindWorkspace } from '../bind-workspace';
import { kitDialer } from '../kit-address';
import { linkPackages } from '../link-packages';
import { loadKit } from '../provision/kit';
import { lockFolder } from '../run-folder';
import { type Monitoring, startMonitoring } from '../server/monitoring';
import { versions } from '../versions';
import { readPolicy } from './policy';
import { recordedJobs } from './recorded-jobs';
import { auditEvent, logLine } from './site-events-text';
import { siteJobs } from './site-jobs';
import { siteMetrics } from './site-metrics';
import { resourcesOf } from './site-resources';
import { readSiteSettings, type SiteSettings } from './site-settings';
import { siteWork } from './site-work';

export interface StartSiteOptions {
  /** Folder of the site's kit. */
  readonly kit: string;
  /** Instead of the one in `site.yaml`; relative to the working directory. */
  readonly workspace?: string | undefined;
  /** Where its data lie, instead of what `site.yaml` says; absolute paths. */
  readonly data?: SiteSettings['data'] | undefined;
  /** Port of the server, instead of the kit's: behind a tunnel, say. */
  readonly port?: number | undefined;
  readonly on?: (event: SiteEvent) => void;
  /** NOT PRIVATE: see `SimEnvOptions.testNoiseSeed`. */
  readonly testNoiseSeed?: number | undefined;
}

export type SiteEvent =
  | AgentEvent
  | { readonly kind: 'progress'; readonly job: string; readonly round: number; readonly progress: TaskProgress };

export interface StartedSite {
  readonly site: string;
  readonly project: string;
  /** Where the server is, by the kit. */
  readonly server: string;
  readonly workspace: string;
  readonly settings: SiteSettings;
  /** Of `/metrics` and `/healthz`. */
  readonly metricsPort: number | undefined;
  /** Rejects when the site cannot go on: its program is wrong, its disk gone. */
  readonly running: Promise<void>;
  /** Leaves the server, which is told; ends what trains. What is kept goes on at the next start. */
  stop(): Promise<void>;
}

/** Starts a site; from then on it connects by itself, whatever happens to the network. @throws what stands in the way, in words. */
export async function startSite(options: StartSiteOptions): Promise<StartedSite> {
  const kit = await loadKit(options.kit, 'site');
  const settings = settingsFor(await readSiteSettings(kit.files.settings!), options);
  await readPolicy(kit.files.policy!); // A policy that is not valid is found now, and not with the first job.
  const { workspace } = settings;
  const closers: (() => unknown)[] = [];
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    closers.push(await lockFolder({ root: workspace }, 'Stop that site, or choose another --workspace.'));
    await nodeDisk.makeFolder(workspace, 'private'); // Models and logs with values of data, wherever it lies.
    await durableFolder(workspace, nodeDisk);
    await bindWorkspace(workspace, kit, nodeDisk);
    await linkPackages(workspace);
    return await startIn(kit, settings, options, closers, closeAll);
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function startIn(
  kit: Awaited<ReturnType<typeof loadKit>>,
  settings: SiteSettings,
  { port = kit.server.port, on = () => {}, testNoiseSeed }: StartSiteOptions,
  closers: (() => unknown)[],
  closeAll: () => Promise<void>,
): Promise<StartedSite> {
  const { workspace } = settings;
  const { name: site, project } = kit;
  const software = `consilium ${versions().consilium}`;
  const log = openRunLog(workspace, { clock: Date.now }).with({ site });
  const stop = new AbortController();
  const audit = await openAudit(join(workspace, 'audit.jsonl'), { disk: nodeDisk, clock: nodeClock });
  closers.push(async () => {
    await audit.append({ event: 'site-stopped' });
    await audit.close();
    await log.flush();
  });
  await audit.append({ event: 'site-started', software, ...(testNoiseSeed !== undefined && { notPrivate: true }) });
  if (testNoiseSeed !== undefined) log.write('warn', 'NOT PRIVATE: privacy noise is drawn from a test seed.');
  const append = (event: AuditEvent) => audit.append(event);
  const trouble = (error: unknown) => log.write('error', errorToData(error).message);
  const work = siteWork({
    ...{ site, project, settings, log, testNoiseSeed, ca: kit.tls.ca },
    policyFile: kit.files.policy!,
    disk: nodeDisk,
    clock: nodeClock,
    audit,
    trouble: (error) => hear({ kind: 'trouble', error }),
    signal: stop.signal,
  });
  closers.push(() => work.close());
  const jobs = await siteJobs({ ...work, disk: nodeDisk, folder: join(workspace, 'jobs'), site });
  closers.push(() => jobs.close());
  for (const { job, answers } of jobs.states()) {
    for (const { task, round, blob } of answers) await append({ event: 'answer-again', job, round, task, ...blob });
  }
  const metrics = siteMetrics(() => jobs.states());
  const monitoring = await monitor(settings, metrics, () => ({ project, site, ...metrics.health() }));
  if (monitoring) closers.push(() => monitoring.close());
  const hear = (event: SiteEvent): void => {
    metrics.hear(event);
    note(log, event);
    if (event.kind === 'task-failed') work.noteFailure(event.job, event.round, event.error);
    const record = auditEvent(event);
    if (record) append(record).catch(trouble);
    on(event);
  };
  const running = runAgent({
    clock: nodeClock,
    dialer: kitDialer(kit, port),
    random: () => randomInt(2 ** 32) / 2 ** 32,
    software,
    boot: randomUUID(),
    resources: resourcesOf(settings),
    times: timesOf(settings),
    jobs: recordedJobs(jobs, {
      append,
      takeLeaving: work.takeLeaving,
      progress: (job, round, progress) => hear({ kind: 'progress', job, round, progress }),
      ended: work.forget,
    }),
    on: hear,
    signal: stop.signal,
  });
  running.catch(() => {}); // Told to whoever waits for it.
  return {
    site,
    project,
    server: `${kit.server.hosts[0]}:${port}`,
    workspace,
    settings,
    metricsPort: monitoring?.port,
    running,
    async stop() {
      stop.abort(new AbortedError('The site is stopping.'));
      await running.finally(closeAll);
    },
  };
}

function settingsFor(settings: SiteSettings, { workspace, data }: StartSiteOptions): SiteSettings {
  return {
    ...settings,
    ...(workspace !== undefined && { workspace: resolve(workspace) }),
    data: { ...settings.data, ...data },
  };
}

function note(log: RunLog, event: SiteEvent): void {
  const line = logLine(event);
  if (line) log.write(line.level, line.message, line.fields);
}

/** The server says how often it wants to hear something; until then these hold. */
function timesOf({ reconnectMaxSeconds }: SiteSettings) {
  return {
    ...{ heartbeatMs: 10_000, deadMs: 60_000, welcomeMs: 10_000 },
    reconnectMinMs: Math.min(1000, reconnectMaxSeconds * 1000),
    reconnectMaxMs: reconnectMaxSeconds * 1000,
  };
}

async function monitor(
  { metricsPort }: SiteSettings,
  metrics: ReturnType<typeof siteMetrics>,
  health: () => object,
): Promise<Monitoring | undefined> {
  if (metricsPort === undefined) return undefined;
  return startMonitoring({ host: '127.0.0.1', port: metricsPort, metrics, health });
}
