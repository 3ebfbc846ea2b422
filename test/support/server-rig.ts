/** A whole federation in one process: a real server core on a real disk, sites that compute in a function, people. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type JobSpec, parseJob } from '../../src/jobs/job-spec';
import type { BlobRef } from '../../src/protocol/wire/messages';
import { createBundle } from '../../src/runtime/provision/bundle';
import { type Roster, verifyRoster } from '../../src/runtime/provision/roster';
import { RunRecord } from '../../src/runtime/run-record';
import { createServer, type FederationServer, type ServerEvent } from '../../src/runtime/server/federation-server';
import { type ServerSettings, serverSettings } from '../../src/runtime/server/server-settings';
import type { SavedJob } from '../../src/runtime/server/stored-job';
import { openRunLog } from '../../src/tracking/run-log';
import type { Connection, Identity } from '../../src/transport/connection';
import { type Clock, nodeClock } from '../../src/util/clock';
import { copyFile } from '../../src/util/copy-file';
import type { Disk } from '../../src/util/disk';
import { nodeDisk } from '../../src/util/node-disk';
import { memoryDialer, type Pair } from './connection-pair';
import { type TestFederation, testFederation } from './federation';
import { type RunningSite, startToySite, type ToySite } from './toy-site';

export interface RigSite extends RunningSite {
  readonly pairs: ReadonlySet<Pair>;
}

export interface ServerRig {
  readonly federation: TestFederation;
  readonly workspace: string;
  /** What relative paths of jobs start from. */
  readonly folder: string;
  readonly events: readonly ServerEvent[];
  /** Starts the server, again after it was stopped. */
  start(settings?: Partial<ServerSettings>, more?: { readonly clock?: Clock }): Promise<FederationServer>;
  current(): FederationServer;
  stop(): Promise<void>;
  /** The server process is no more: nothing of it reaches anybody, and its jobs are left as they are. */
  kill(): void;
  site(name: string, site?: ToySite): Promise<RigSite>;
  /** A submitted job. */
  submit(job: JobSpec, by?: string): Promise<SavedJob>;
  bundle(job: JobSpec, by?: string): Promise<{ readonly file: string; readonly ref: BlobRef; readonly hash: string }>;
  identity(name: string): Promise<Identity>;
  /** Resolves with the first event that fits, also of those before. */
  until(fits: (event: ServerEvent) => boolean): Promise<ServerEvent>;
  /** Resolves when the job has ended. */
  ended(job: string): Promise<SavedJob>;
  close(): Promise<void>;
}

export { movedBy } from './toy-site';

/** A job of the rig: a model of four numbers, trained by the sites' functions. */
export function rigJob(changes: object = {}): JobSpec {
  return parseJob({
    version: 1,
    name: 'small',
    sites: ['site-1', 'site-2'],
    workflow: { kind: 'fed-avg', rounds: 3, minSites: 2, keyMetric: 'score', roundDeadlineSeconds: 30 },
    model: { kind: 'tensors', tensors: { w: [4] }, start: 'zeros' },
    trainer: { kind: 'command', command: ['train-it'] },
    ...changes,
  });
}

export async function serverRig(): Promise<ServerRig> {
  const federation = await testFederation();
  const folder = await mkdtemp(join(tmpdir(), 'server-rig-'));
  const workspace = join(folder, 'server');
  const events: ServerEvent[] = [];
  const watchers = new Set<(event: ServerEvent) => void>();
  const sites = new Set<RigSite>();
  const server = await federation.kit('server');
  let current: FederationServer | undefined;
  let bundles = 0;

  const roster = (): Roster =>
    verifyRoster(readFileSync(server.files.roster!), { ca: server.tls.ca, project: server.project, source: 'roster' });
  const identity = async (name: string): Promise<Identity> => {
    const { role, fingerprint } = await federation.kit(name);
    return { name, role, fingerprint };
  };
  const rig: ServerRig = {
    federation,
    workspace,
    folder,
    events,
    current: () => current!,
    async stop() {
      await current!.stop();
      current = undefined;
    },
    async start(settings = {}, { clock = nodeClock } = {}) {
      const life = lifeOf(clock, nodeDisk);
      const started = await createServer({
        clock: life.clock,
        disk: life.disk,
        newId: () => nodeDisk.freshName(),
        workspace,
        settings: { ...serverSettings.parse({}), ...settings },
        project: server.project,
        name: server.name,
        ca: server.tls.ca,
        roster,
        software: 'consilium test',
        log: openRunLog(workspace, { clock: Date.now }),
        record: (options) => new RunRecord(options),
        on(event) {
          if (life.over) return;
          events.push(event);
          for (const watch of watchers) watch(event);
        },
      });
      current = started;
      rig.kill = () => {
        life.end();
        current = undefined;
        for (const { pairs } of sites) for (const pair of pairs) pair.cut();
      };
      return started;
    },
    kill() {},
    async site(name, own = {}) {
      const pairs = new Set<Pair>();
      const itself: Identity = { name: server.name, role: 'server', fingerprint: server.fingerprint };
      const accept = () => current && ((connection: Connection) => current!.connect(connection));
      const dialer = memoryDialer(await identity(name), itself, accept, pairs);
      const site = { pairs, ...(await startToySite(name, join(folder, name), dialer, own)) };
      sites.add(site);
      return site;
    },
    async bundle(job, by = 'ada') {
      const file = join(folder, `bundle-${bundles++}`);
      const { sha256, size, hash } = await createBundle(job, { folder, kit: await federation.kit(by) }, file, nodeDisk);
      return { file, ref: { sha256, size }, hash };
    },
    async submit(job, by = 'ada') {
      const { file, ref } = await rig.bundle(job, by);
      const copy = `${file}.copy`;
      await copyFile(file, copy, nodeDisk);
      return (await current!.submit(copy, ref, await identity(by))).job;
    },
    identity,
    until(fits) {
      const before = events.find(fits);
      if (before) return Promise.resolve(before);
      return new Promise((resolve) => {
        const watch = (event: ServerEvent) => {
          if (!fits(event)) return;
          watchers.delete(watch);
          resolve(event);
        };
        watchers.add(watch);
      });
    },
    async ended(job) {
      await rig.until((event) => event.kind === 'run' && event.job === job && event.event.kind === 'done');
      return current!.job(job);
    },
    async close() {
      await Promise.all([...sites].map((site) => site.stop()));
      await current?.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
      await rm(dirname(federation.out), { recursive: true, force: true });
    },
  };
  return rig;
}

/** A process that can be killed: from then on its disk does nothing, its timers do not fire, and its promises stay open. */
function lifeOf(clock: Clock, disk: Disk) {
  let over = false;
  const forever = () => new Promise<never>(() => {});
  const living = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(of, name) {
        const value = Reflect.get(of, name) as unknown;
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          if (over) return forever();
          const result = (value as (...args: unknown[]) => unknown).apply(of, args);
          if (!(result instanceof Promise)) return result;
          return result.then((opened: unknown) => (over ? forever() : isFile(opened) ? living(opened) : opened));
        };
      },
    });
  const dying: Clock = {
    ...clock,
    after: (ms, act) => clock.after(ms, () => over || act()),
  };
  return {
    clock: dying,
    disk: living(disk),
    get over() {
      return over;
    },
    end() {
      over = true;
    },
  };
}

function isFile(value: unknown): value is object {
  return typeof value === 'object' && value !== null && 'truncate' in value;
}
