/**
 * A real federation for chaos tests: a server and sites as processes, each site behind a proxy that can go wrong, jobs of a toy
 * training, and what must be true at the end.
 *
 * @module
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { cp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProdEnv } from '../../src';
import type { Run } from '../../src/jobs/environment';
import { type JobSpec, parseJob } from '../../src/jobs/job-spec';
import { projectSpec } from '../../src/runtime/provision/project';
import { provision } from '../../src/runtime/provision/provision';
import { freePort } from '../support/free-port';
import { type FaultProxy, faultProxy } from './fault-proxy';
import { type Member, startMember } from './member';

export interface ChaosFederation {
  readonly place: string;
  readonly sites: readonly string[];
  readonly proxies: ReadonlyMap<string, FaultProxy>;
  readonly port: number;
  kit(name: string): string;
  /** Where the server keeps jobs and its audit log. */
  readonly serverWorkspace: string;
  member(name: string): Member;
  /** Starts a process, again after it has ended. Resolves once it is ready. */
  start(name: string, failpoint?: string): Promise<Member>;
  /** `kill -9`, and waits until it is gone. */
  kill(name: string): Promise<void>;
  /** Starts a process anew whenever it has ended, with each of these failpoints in turn, and resolves when all have struck. */
  strike(name: string, failpoints: readonly string[]): Promise<void>;
  submit(job: JobSpec): Run;
  /** Lines that the trainer wrote in a job: `<site> <round>`. */
  trainings(job: JobSpec): string[];
  /** Ends everything in order. @throws Error when a process is left behind. */
  close(): Promise<void>;
}

export interface ChaosOptions {
  readonly sites?: number;
  /** More lines of `server.yaml`. */
  readonly server?: string;
}

export async function chaosFederation({ sites: count = 3, server = '' }: ChaosOptions = {}): Promise<ChaosFederation> {
  const place = mkdtempSync(join(tmpdir(), 'consilium-chaos-'));
  const sites = Array.from({ length: count }, (_, i) => `site-${i + 1}`);
  const port = await freePort();
  const project = projectSpec.parse({
    version: 1,
    project: 'chaos',
    server: { hosts: ['127.0.0.1'], port },
    sites: sites.map((name) => ({ name, org: name })),
    admins: [{ name: 'ada', org: 'north', role: 'admin' }],
  });
  await provision(project, place);
  const kit = (name: string) => join(place, 'kits', name);
  const settings = `host: 127.0.0.1\nmetricsPort: null\nheartbeatSeconds: 1\ndeadSeconds: 5\nstallSeconds: 15\n${server}`;
  await writeFile(join(kit('server'), 'server.yaml'), settings);
  for (const site of sites) {
    await writeFile(join(kit(site), 'policy.yaml'), 'version: 1\ncode: any\n');
    await writeFile(join(kit(site), 'site.yaml'), 'version: 1\nreconnectMaxSeconds: 1\n');
  }
  await cp(join(__dirname, 'toy-client.ts'), join(place, 'toy-client.ts'));
  const proxies = new Map<string, FaultProxy>();
  for (const site of sites) proxies.set(site, await faultProxy(port));
  const members = new Map<string, Member>();
  const pids = new Set<number>();

  async function start(name: string, failpoint?: string): Promise<Member> {
    const isServer = name === 'server';
    const args = isServer ? [] : ['--port', String(proxies.get(name)!.port)];
    const member = startMember(isServer ? 'server' : 'client', name, { kit: kit(name), args, failpoint });
    members.set(name, member);
    pids.add(member.pid);
    if (failpoint === undefined) await member.ready;
    return member;
  }

  async function kill(name: string): Promise<void> {
    const member = members.get(name)!;
    member.signal('SIGKILL');
    await member.exited;
  }

  return {
    place,
    sites,
    proxies,
    port,
    kit,
    serverWorkspace: join(kit('server'), 'workspace'),
    member: (name) => members.get(name)!,
    start,
    kill,
    async strike(name, failpoints) {
      if (members.get(name)?.running) await kill(name);
      for (const failpoint of failpoints) {
        const { exited, log } = await start(name, failpoint);
        const { signal, code } = await exited;
        if (signal !== 'SIGKILL') throw new Error(`'${name}' ended with ${code ?? signal} at ${failpoint}:\n${log()}`);
      }
      await start(name);
    },
    submit: (job) => new ProdEnv({ kit: kit('ada'), workspace: join(place, 'results') }).run(job, { folder: place }),
    trainings(job) {
      const file = trainingLog(place, job.name);
      return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
    },
    async close() {
      for (const member of members.values()) {
        member.signal('SIGCONT');
        member.signal('SIGTERM');
      }
      const late = setTimeout(() => {
        for (const member of members.values()) member.signal('SIGKILL');
      }, 15_000);
      await Promise.all([...members.values()].map(({ exited }) => exited));
      clearTimeout(late);
      await Promise.all([...proxies.values()].map((proxy) => proxy.close()));
      const left = await processesIn(place);
      rmSync(place, { recursive: true, force: true });
      if (left.length > 0) throw new Error(`Processes are left: ${left.join(', ')}.`);
    },
  };
}

export interface ToyJob {
  readonly name: string;
  readonly place: string;
  readonly sites: readonly string[];
  readonly rounds?: number;
  /** Numbers in the model, 4 bytes each. @default 1000 */
  readonly parameters?: number;
  /** Of one training. @default 50 */
  readonly trainMs?: number;
  readonly how?: 'sleep' | 'spin';
  /** More of the workflow. */
  readonly workflow?: object;
}

export function toyJob({ name, place, sites, rounds = 5, ...more }: ToyJob): JobSpec {
  const { parameters = 1000, trainMs = 50, how = 'sleep', workflow = {} } = more;
  return parseJob({
    version: 1,
    name,
    sites: [...sites],
    workflow: {
      kind: 'fed-avg',
      rounds,
      minSites: sites.length,
      roundDeadlineSeconds: 60,
      keyMetric: 'score',
      ...workflow,
    },
    model: { kind: 'tensors', tensors: { w: [parameters] }, start: 'zeros' },
    trainer: { kind: 'script', script: './toy-client.ts', args: [String(trainMs), how, trainingLog(place, name)] },
    siteConfig: Object.fromEntries(sites.map((site, i) => [site, { target: i + 1 }])),
  });
}

function trainingLog(place: string, job: string): string {
  return join(place, `${job}.trainings`);
}

/** Processes whose working directory lies in a folder, once those that are just ending have ended. */
async function processesIn(folder: string): Promise<string[]> {
  for (let look = 0; ; look++) {
    const left = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && cwdOf(pid)?.startsWith(folder));
    if (left.length === 0 || look === 20) return left;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function cwdOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined; // It has ended, or is another user's.
  }
}
