/**
 * A real site: its kit, its workspace, its connection, around what it makes of jobs.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { errorToData } from '../../errors';
import type { LogFields, LogLevel, RunLog } from '../../tracking/run-log';
import { openRunLog } from '../../tracking/run-log';
import { runAgent } from '../../transport/agent';
import type { AgentEvent, AgentTimes } from '../../transport/agent-types';
import type { Dialer } from '../../transport/connection';
import { websocketDialer } from '../../transport/websocket/client';
import { nodeClock } from '../../util/clock';
import { durableFolder } from '../../util/durable-folder';
import { nodeDisk } from '../../util/node-disk';
import { type AuditLog, openAudit } from '../audit';
import { type Kit, loadKit } from '../provision/kit';
import { lockFolder } from '../run-folder';
import { versions } from '../versions';
import { siteJobs } from './site-jobs';
import { readSiteSettings, type SiteSettings } from './site-settings';
import { type SiteWork, siteWork } from './site-work';

export interface StartClientOptions {
  /** Folder of the site's kit. */
  readonly kit: string;
  /** Instead of the one in `site.yaml`; relative to the working directory. */
  readonly workspace?: string;
  /** Told of all that happens, besides the log. */
  readonly onEvent?: (event: AgentEvent) => void;
  /** NOT PRIVATE: see `SimEnvOptions.testNoiseSeed`. */
  readonly testNoiseSeed?: number;
}

export interface StartedClient {
  readonly site: string;
  readonly project: string;
  /** Where it dials, the first choice first. */
  readonly addresses: readonly string[];
  readonly workspace: string;
  readonly settings: SiteSettings;
  /** Leaves in order: what is kept is on disk, and the server sees the site go. */
  stop(): Promise<void>;
  /** Rejects when the site cannot go on: its disk fails, say. Resolves when it was stopped. */
  readonly ended: Promise<void>;
}

/** Starts a site; it dials from then on. @throws what stands in the way, in words. */
export async function startClient(options: StartClientOptions): Promise<StartedClient> {
  const kit = await loadKit(options.kit, 'site');
  const settings = await settingsOf(kit, options.workspace);
  const { workspace } = settings;
  await durableFolder(workspace);
  const unlock = await lockFolder({ root: workspace }, 'Stop that site, or choose another --workspace.');
  try {
    return await startIn(kit, settings, options, unlock);
  } catch (error) {
    await unlock();
    throw error;
  }
}

async function startIn(
  kit: Kit,
  settings: SiteSettings,
  { onEvent = () => {}, testNoiseSeed }: StartClientOptions,
  unlock: () => Promise<void>,
): Promise<StartedClient> {
  const { workspace } = settings;
  const stopping = new AbortController();
  const { signal } = stopping;
  const log = openRunLog(workspace, { clock: Date.now }).with({ site: kit.name });
  const audit = await openAudit(join(workspace, 'audit.jsonl'), { disk: nodeDisk, clock: nodeClock });
  const { name: site, project } = kit;
  const work = siteWork({
    ...{ site, project, ca: kit.tls.ca, settings, disk: nodeDisk, clock: nodeClock, audit, log, testNoiseSeed, signal },
    policyFile: kit.files.policy!,
  });
  const jobs = await siteJobs({ disk: nodeDisk, folder: join(workspace, 'jobs'), site, ...work });
  const addresses = kit.server.hosts.map((host) => `wss://${host}:${kit.server.port}`);
  const agent = runAgent({
    clock: nodeClock,
    dialer: firstThatAnswers(addresses.map((address) => websocketDialer({ address, credentials: kit.tls }))),
    random: Math.random,
    software: `consilium ${versions().consilium}`,
    boot: randomUUID(),
    resources: resourcesOf(settings),
    times: timesOf(settings),
    jobs,
    on(event) {
      noteEvent(event, log);
      noteAudit(event, work, audit).catch((error: Error) => log.write('error', error.message));
      if (event.kind === 'job-ended') void work.forget(event.job);
      onEvent(event);
    },
    signal,
  });
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= closeAll();
    return closed;
  };
  async function closeAll(): Promise<void> {
    await jobs.close();
    await work.close();
    await audit.close();
    await log.flush();
    await unlock();
  }
  const ended = agent.finally(close);
  ended.catch(() => {}); // Told to whoever waits for it.
  log.write('info', 'site started', { address: addresses[0]! });
  return {
    ...{ site, project, addresses, workspace, settings, ended },
    async stop() {
      stopping.abort();
      await ended.catch(() => {}); // It was ending, whatever for.
    },
  };
}

async function settingsOf({ files }: Kit, workspace: string | undefined): Promise<SiteSettings> {
  const settings = await readSiteSettings(files.settings!);
  return workspace === undefined ? settings : { ...settings, workspace: resolve(workspace) };
}

function resourcesOf({ slots, memoryMb, provider }: SiteSettings) {
  const gpus = provider === undefined || provider === 'cpu' ? 0 : 1;
  return { slots, memoryMb: memoryMb ?? Math.floor(totalmem() / 1e6), gpus };
}

/** The server says in its welcome how often it wants to hear of its sites; until then these hold. */
function timesOf({ reconnectMaxSeconds }: SiteSettings): AgentTimes {
  const reconnectMaxMs = reconnectMaxSeconds * 1000;
  return {
    heartbeatMs: 10_000,
    deadMs: 60_000,
    welcomeMs: 10_000,
    reconnectMinMs: Math.min(1000, reconnectMaxMs),
    reconnectMaxMs,
  };
}

/** Dials the server under its first name, and under the next one when that does not answer. */
function firstThatAnswers(dialers: readonly Dialer[]): Dialer {
  return {
    async dial(handler, signal) {
      for (const [i, dialer] of dialers.entries()) {
        try {
          return await dialer.dial(handler, signal);
        } catch (error) {
          if (signal.aborted || i === dialers.length - 1) throw error;
        }
      }
      throw new Error('A kit names the server.');
    },
  };
}

const levels: { readonly [K in AgentEvent['kind']]?: LogLevel } = {
  disconnected: 'warn',
  unreachable: 'warn',
  'task-failed': 'warn',
  trouble: 'error',
};

function noteEvent(event: AgentEvent, log: RunLog): void {
  const fields: LogFields = {
    ...('job' in event && { run: event.job }),
    ...('round' in event && { round: event.round }),
  };
  log.write(levels[event.kind] ?? 'info', eventText(event), fields);
}

/** What happened, for people. An error in full: this is the site's own log. */
export function eventText(event: AgentEvent): string {
  switch (event.kind) {
    case 'connected':
      return `connected to ${event.software}`;
    case 'disconnected':
      return `disconnected: ${event.reason.message}${event.reason.hint === undefined ? '' : ` ${event.reason.hint}`}`;
    case 'unreachable':
      return `${event.error.message}${event.error.hint === undefined ? '' : ` ${event.error.hint}`}`;
    case 'retrying':
      return `dialling again in ${(event.inMs / 1000).toFixed(1)} s`;
    case 'job-offered':
      return event.verdict === 'accepted' ? 'job accepted' : `job refused: ${event.reason}`;
    case 'job-ended':
      return `job ${event.outcome}${event.reason === '' ? '' : `: ${event.reason}`}`;
    case 'task-started':
      return 'task started';
    case 'answering':
      return `answer kept, ${event.blob.size} bytes`;
    case 'answered':
      return `answer ${event.outcome}${event.reason === '' ? '' : `: ${event.reason}`}`;
    case 'task-failed':
    case 'trouble': {
      const { tag, message, stack } = errorToData(event.error);
      return `${event.kind === 'trouble' ? 'trouble' : 'task failed'}: ${tag === 'InternalError' ? (stack ?? message) : message}`;
    }
  }
}

/** What leaves a site, through which filters, and what became of it. */
async function noteAudit(event: AgentEvent, work: SiteWork, audit: AuditLog): Promise<void> {
  if (event.kind === 'answering') {
    const { job, task, round, blob } = event;
    const left = work.takeLeaving(job);
    const through = left && { kind: left.task, filters: left.filters, epsilon: epsilonOf(left.costs) };
    await audit.append({ event: 'answer-kept', job, task, round, sha256: blob.sha256, bytes: blob.size, ...through });
  } else if (event.kind === 'answered') {
    const { job, task, outcome } = event;
    await audit.append({ event: 'answered', job, task, outcome });
  } else if (event.kind === 'job-ended') {
    await audit.append({ event: 'job-ended', job: event.job, outcome: event.outcome });
  }
}

/** As text: it may be infinite, which JSON cannot say. */
function epsilonOf(costs: readonly { readonly epsilon: number }[]): string {
  return String(costs.reduce((sum, { epsilon }) => sum + epsilon, 0));
}
