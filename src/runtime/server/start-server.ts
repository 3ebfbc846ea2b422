/**
 * A real server: its kit, its workspace, its ports, around the server proper.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import type { LogFields, LogLevel, RunLog } from '../../tracking/run-log';
import { openRunLog } from '../../tracking/run-log';
import type { CloseReason, Identity } from '../../transport/connection';
import { type WebsocketServer, websocketServer } from '../../transport/websocket/server';
import { nodeClock } from '../../util/clock';
import { durableFolder } from '../../util/durable-folder';
import { nodeDisk } from '../../util/node-disk';
import { readBounded } from '../../util/read-bounded';
import type { AuditEvent } from '../audit';
import { bindWorkspace } from '../bind-workspace';
import { linkPackages } from '../link-packages';
import { type Kit, loadKit } from '../provision/kit';
import { maxKitFileBytes } from '../provision/kit-files';
import { admit, type Roster } from '../provision/roster';
import { lockFolder } from '../run-folder';
import { RunRecord } from '../run-record';
import { versions } from '../versions';
import { createAdminSessions } from './admin-sessions';
import { createConnections } from './connections';
import { createServer, type FederationServer, stopping } from './federation-server';
import { followRoster, rosterEvent } from './follow-roster';
import { serverMetrics } from './metrics';
import { type Monitoring, startMonitoring } from './monitoring';
import { refusalRecords } from './refusals';
import { parseServerSettings, type ServerSettings } from './server-settings';
import { stateOf } from './stored-job';

export interface StartServerOptions {
  /** Folder of the server's kit. */
  readonly kit: string;
  /** Instead of the one in `server.yaml`; relative to the working directory. */
  readonly workspace?: string;
  /** Told of each line of the log, besides its files. */
  readonly onLog?: (level: LogLevel, message: string, fields: LogFields) => void;
  /** NOT PRIVATE: see `SimEnvOptions.testNoiseSeed`. */
  readonly testNoiseSeed?: number;
}

export interface StartedServer {
  readonly core: FederationServer;
  readonly project: string;
  readonly name: string;
  readonly workspace: string;
  /** Where sites dial, and where people do. */
  readonly port: number;
  readonly adminPort: number;
  /** Of `/metrics` and `/healthz`. */
  readonly metricsPort: number | undefined;
  readonly settings: ServerSettings;
  /** No new rounds; state is flushed, everybody is told. Jobs under way go on at the next start. */
  stop(): Promise<void>;
}

/** Starts a server; it listens when the promise resolves. @throws what stands in the way, in words. */
export async function startServer({
  kit: folder,
  workspace: where,
  onLog = () => {},
  testNoiseSeed,
}: StartServerOptions): Promise<StartedServer> {
  const kit = await loadKit(folder, 'server');
  const settings = await readSettings(kit);
  const workspace = where === undefined ? resolve(kit.folder, settings.workspace) : resolve(where);
  const unlock = await lockFolder({ root: workspace }, 'Stop that server, or choose another --workspace.');
  const closers: (() => unknown)[] = [unlock];
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    await nodeDisk.makeFolder(workspace, 'private'); // Models and the scores of sites, wherever it lies.
    await durableFolder(workspace);
    await bindWorkspace(workspace, kit, nodeDisk);
    await linkPackages(workspace);
    return await startIn(workspace, { kit, settings, onLog, testNoiseSeed, closers }, closeAll);
  } catch (error) {
    await closeAll();
    throw error;
  }
}

interface Parts {
  readonly kit: Kit;
  readonly settings: ServerSettings;
  readonly onLog: NonNullable<StartServerOptions['onLog']>;
  readonly testNoiseSeed: number | undefined;
  /** What is to be closed at the end, the last first. */
  readonly closers: (() => unknown)[];
}

async function startIn(workspace: string, parts: Parts, closeAll: () => Promise<void>): Promise<StartedServer> {
  const { kit, settings, closers } = parts;
  const log = tee(openRunLog(workspace, { clock: Date.now }), parts.onLog);
  const trouble = (error: unknown) => log.write('error', error instanceof Error ? error.message : String(error));
  const roster = await followRoster({ kit, workspace, log, trouble });
  closers.push(() => roster.close());
  const started = new Date().toISOString();
  const shared = {
    project: kit.project,
    name: kit.name,
    software: `consilium ${versions().consilium}`,
    clock: nodeClock,
    disk: nodeDisk,
    settings,
    roster: () => roster.roster,
  };
  const metrics = serverMetrics(() => core);
  const core = await createServer({
    ...shared,
    newId: randomUUID,
    workspace,
    ca: kit.tls.ca,
    log,
    record: (options) => new RunRecord(options),
    testNoiseSeed: parts.testNoiseSeed,
    on: metrics.hear,
  });
  closers.push(() => core.stop());
  const audit = (event: AuditEvent) => void core.audit.append(event).catch(trouble);
  const admins = createAdminSessions({ ...shared, server: core, started, newSession: randomUUID, trouble });
  const refusals = refusalRecords(nodeClock, audit, (line) => log.write('warn', line));
  closers.push(() => refusals.stop());
  const connections = createConnections({
    open: (connection) => (connection.peer.role === 'site' ? core : admins).connect(connection),
    metrics,
    sentAway(peer, reason) {
      metrics.refused(reason.code);
      refusals.sentAway(peer, reason);
    },
  });
  roster.tell({
    inForce(changed) {
      connections.review((peer) => admission(changed, peer));
      core.hub.review();
    },
    noted: (changed) => audit(rosterEvent(changed)),
  });
  const listen = (port: number): Promise<WebsocketServer> =>
    websocketServer({
      ...(settings.host !== undefined && { host: settings.host }),
      port,
      credentials: kit.tls,
      admit: (identity) => admission(roster.roster, identity),
      accept: connections.accept,
      refused(refused) {
        metrics.refused(refused.reason.code);
        refusals.refused(refused);
      },
    });
  const sites = await listen(settings.port ?? kit.server.port);
  closers.push(() => sites.close(stopping));
  const people = kit.server.adminPort === kit.server.port ? undefined : await listen(kit.server.adminPort);
  if (people) closers.push(() => people.close(stopping));
  const monitoring = await monitor(settings, core, metrics, started);
  if (monitoring) closers.push(() => monitoring.close());
  log.write('info', 'listening', { port: sites.port });
  return {
    core,
    project: kit.project,
    name: kit.name,
    workspace,
    port: sites.port,
    adminPort: (people ?? sites).port,
    metricsPort: monitoring?.port,
    settings,
    async stop() {
      await core.stop();
      admins.close(stopping);
      await closeAll();
    },
  };
}

/** @throws ConfigError for settings that are not valid. */
async function readSettings({ files }: Kit): Promise<ServerSettings> {
  const source = files.settings!;
  return parseServerSettings(await readBounded(source, maxKitFileBytes, 'settings of the server'), source);
}

function admission(roster: Roster, identity: Identity): true | CloseReason {
  const verdict = admit(roster, identity, nodeClock.wallMs());
  if (verdict.ok) return true;
  const { code, message, hint } = verdict;
  return { code: code === 'revoked' ? 'revoked' : 'not-allowed', message, hint };
}

function tee(log: RunLog, told: Parts['onLog'], fixed: LogFields = {}): RunLog {
  return {
    write(level, message, fields = {}) {
      log.write(level, message, { ...fixed, ...fields });
      told(level, message, { ...fixed, ...fields });
    },
    with: (fields) => tee(log, told, { ...fixed, ...fields }),
    flush: () => log.flush(),
  };
}

function monitor(
  { metricsHost, metricsPort }: ServerSettings,
  core: FederationServer,
  metrics: ReturnType<typeof serverMetrics>,
  started: string,
): Promise<Monitoring> | undefined {
  if (metricsPort === null) return undefined;
  return startMonitoring({
    host: metricsHost,
    port: metricsPort,
    metrics,
    health() {
      const { hub, store } = core;
      const sites = Object.fromEntries(hub.sites().map((site) => [site, hub.status(site).connected]));
      const running = core.jobs.running().map((job) => ({ job: job.id, ...job.status() }));
      const queued = store
        .all()
        .filter((job) => stateOf(job) === 'queued')
        .map(({ id }) => id);
      return { status: 'ok', started, sites, running, queued };
    },
  });
}
