/** A whole federation in one process: a real server core on a real disk, sites that compute in a function, people. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type JobSpec, parseJob } from '../../src/jobs/job-spec';
import type { Task, Update } from '../../src/protocol/messages';
import type { BlobRef, SiteResources } from '../../src/protocol/wire/messages';
import { siteJobs, type TaskRunner } from '../../src/runtime/client/site-jobs';
import { createBundle } from '../../src/runtime/provision/bundle';
import { type Roster, verifyRoster } from '../../src/runtime/provision/roster';
import { RunRecord } from '../../src/runtime/run-record';
import { createServer, type FederationServer, type ServerEvent } from '../../src/runtime/server/federation-server';
import { type ServerSettings, serverSettings } from '../../src/runtime/server/server-settings';
import type { SavedJob } from '../../src/runtime/server/stored-job';
import { float32 } from '../../src/tensor/tensor';
import { openRunLog } from '../../src/tracking/run-log';
import { runAgent } from '../../src/transport/agent';
import type { Identity } from '../../src/transport/connection';
import { type Clock, nodeClock } from '../../src/util/clock';
import { copyFile } from '../../src/util/copy-file';
import { nodeDisk } from '../../src/util/node-disk';
import { memoryDialer, type Pair } from './connection-pair';
import { type TestFederation, testFederation } from './federation';
import { updateOf } from './workflow-rig';

export interface RigSite {
  /** @default moves every number of the model by 1 */
  readonly train?: (task: Task, signal: AbortSignal) => Update | Promise<Update>;
  readonly consider?: () => { readonly verdict: 'accepted' | 'refused'; readonly reason: string };
  readonly resources?: SiteResources;
}

export interface RunningSite {
  readonly pairs: ReadonlySet<Pair>;
  stop(): Promise<void>;
}

export interface ServerRig {
  readonly federation: TestFederation;
  readonly workspace: string;
  readonly events: readonly ServerEvent[];
  /** Starts the server, again after it was stopped. */
  start(settings?: Partial<ServerSettings>, more?: { readonly clock?: Clock }): Promise<FederationServer>;
  /** The server process is no more: nothing of it reaches anybody, and its jobs are left as they are. */
  kill(): void;
  site(name: string, site?: RigSite): Promise<RunningSite>;
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

/** What a site of the rig answers: every number moves by `step`. */
export function movedBy(step: number, site: string, task: Task, steps = 1): Update {
  if (task.kind === 'validate') return updateOf(site, task, { metrics: { score: task.round } });
  const tensors = new Map(
    [...task.model].map(([name, { shape, data }]) => [name, float32(shape, Array(data.length).fill(step))]),
  );
  return updateOf(site, task, { kind: 'weight-diff', tensors, metrics: { score: task.round }, steps });
}

export async function serverRig(): Promise<ServerRig> {
  const federation = await testFederation();
  const folder = await mkdtemp(join(tmpdir(), 'server-rig-'));
  const workspace = join(folder, 'server');
  const events: ServerEvent[] = [];
  const watchers = new Set<(event: ServerEvent) => void>();
  const sites = new Set<RunningSite>();
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
    events,
    async start(settings = {}, { clock = nodeClock } = {}) {
      let alive = true;
      const started = await createServer({
        clock,
        disk: nodeDisk,
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
          if (!alive) return;
          events.push(event);
          for (const watch of watchers) watch(event);
        },
      });
      current = started;
      rig.kill = () => {
        alive = false;
        current = undefined;
      };
      return started;
    },
    kill() {},
    async site(name, own = {}) {
      const site = await startSite(name, own, {
        folder: join(folder, name),
        self: await identity(name),
        server: { name: server.name, role: 'server', fingerprint: server.fingerprint },
        accept: () => current && ((connection) => current!.connect(connection)),
      });
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
      await rm(folder, { recursive: true, force: true });
      await rm(dirname(federation.out), { recursive: true, force: true });
    },
  };
  return rig;
}

interface SitePlace {
  readonly folder: string;
  readonly self: Identity;
  readonly server: Identity;
  readonly accept: Parameters<typeof memoryDialer>[2];
}

async function startSite(
  name: string,
  own: RigSite,
  { folder, self, server, accept }: SitePlace,
): Promise<RunningSite> {
  const { train = (task) => movedBy(1, name, task), resources = { slots: 4, memoryMb: 8000, gpus: 0 } } = own;
  const runner: TaskRunner = {
    run: async (task, { signal }) => train(task, signal),
    close: async () => {},
  };
  const jobs = await siteJobs({
    disk: nodeDisk,
    folder: join(folder, 'jobs'),
    site: name,
    consider: async () => own.consider?.() ?? { verdict: 'accepted', reason: '' },
    start: async () => runner,
  });
  const stop = new AbortController();
  const pairs = new Set<Pair>();
  const running = runAgent({
    clock: nodeClock,
    dialer: memoryDialer(self, server, accept, pairs),
    random: () => 0,
    software: 'consilium test',
    boot: nodeDisk.freshName(),
    resources,
    times: { heartbeatMs: 1000, deadMs: 5000, welcomeMs: 5000, reconnectMinMs: 5, reconnectMaxMs: 50 },
    jobs,
    on: () => {},
    signal: stop.signal,
  });
  return {
    pairs,
    async stop() {
      stop.abort(new Error('stopped'));
      await running;
      await jobs.close();
    },
  };
}
