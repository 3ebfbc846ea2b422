/**
 * A real federation for chaos tests: a server and sites as processes, each site behind a proxy that can go wrong.
 *
 * @module
 */
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { cp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectSpec } from '../../src/runtime/provision/project';
import { provision } from '../../src/runtime/provision/provision';

import { compiled } from './compiled';
import { type FaultProxy, faultProxy } from './fault-proxy';
import { type Member, type MemberOptions, startMember } from './member';
import { quietPort } from './quiet-port';

export interface ChaosOptions {
  /** How many. @default 3 */
  readonly sites?: number;
  /** More lines of `server.yaml`. */
  readonly server?: string;
  /** More lines of `policy.yaml`, by site. */
  readonly policies?: Readonly<Record<string, string>>;
  /** When the kits were made, milliseconds since 1970. @default now */
  readonly provisionedAt?: number;
  /** Members that are not started yet. @default none */
  readonly later?: readonly string[];
  /** How a member is started at first. */
  readonly first?: Readonly<Record<string, StartOptions>>;
}

export type StartOptions = Pick<MemberOptions, 'failpoint' | 'tamper'> & { readonly workspace?: string };

export interface ChaosFederation {
  readonly place: string;
  readonly sites: readonly string[];
  readonly port: number;
  proxy(site: string): FaultProxy;
  kit(name: string): string;
  /** Where the server keeps jobs and its audit log. */
  readonly serverWorkspace: string;
  member(name: string): Member;
  /** Starts a process, again after it has ended. Resolves once it is ready, or at once when it is to end by itself. */
  start(name: string, options?: StartOptions): Promise<Member>;
  /** `kill -9`, and waits until it is gone. */
  kill(name: string): Promise<void>;
  /** Kills a process, and starts it with each of these failpoints in turn; resolves when all have struck and it is ready. */
  strike(name: string, ...failpoints: readonly string[]): Promise<void>;
  /** Ends everything in order. @throws Error when one does not end in order, or a process is left behind. */
  close(): Promise<void>;
}

/** Starts it: all is connected when it resolves. */
export async function chaosFederation(options: ChaosOptions = {}): Promise<ChaosFederation> {
  const { sites: count = 3, later = [], first = {} } = options;
  const place = mkdtempSync(join(tmpdir(), 'consilium-chaos-'));
  const sites = Array.from({ length: count }, (_, i) => `site-${i + 1}`);
  const port = await quietPort();
  await makeKits(place, sites, port, options);
  const kit = (name: string) => join(place, 'kits', name);
  const proxies = new Map<string, FaultProxy>();
  for (const site of sites) proxies.set(site, await faultProxy(port));
  const members = new Map<string, Member>();
  const all = new Set<Member>();

  async function start(name: string, { workspace, ...how }: StartOptions = {}): Promise<Member> {
    const isServer = name === 'server';
    const args = isServer ? [] : ['--port', String(proxies.get(name)!.port)];
    if (workspace !== undefined) args.push('--workspace', workspace);
    const member = startMember(isServer ? 'server' : 'client', name, { kit: kit(name), args, ...how });
    members.set(name, member);
    all.add(member);
    if (how.failpoint === undefined) await member.ready;
    return member;
  }

  async function kill(name: string): Promise<void> {
    const member = members.get(name)!;
    member.signal('SIGKILL');
    await member.exited;
  }

  async function close(): Promise<void> {
    const ends = await Promise.all([...all].map(endInOrder));
    await Promise.all([...proxies.values()].map((proxy) => proxy.close()));
    const left = await processesIn(place);
    for (const pid of left) process.kill(pid, 'SIGKILL');
    rmSync(place, { recursive: true, force: true, maxRetries: 3 });
    if (left.length > 0) throw new Error(`Processes are left: ${left.join(', ')}.`);
    const disorderly = ends.flatMap((end) => end ?? []);
    if (disorderly.length > 0) throw new Error(disorderly.join('\n'));
  }

  const federation: ChaosFederation = {
    place,
    sites,
    port,
    proxy: (site) => proxies.get(site)!,
    kit,
    serverWorkspace: join(kit('server'), 'workspace'),
    member: (name) => members.get(name)!,
    start,
    kill,
    async strike(name, ...failpoints) {
      if (members.get(name)?.running) await kill(name);
      for (const failpoint of failpoints) {
        const { exited, log } = await start(name, { failpoint });
        const { signal, code } = await exited;
        if (signal !== 'SIGKILL') throw new Error(`'${name}' ended with ${code ?? signal} at ${failpoint}:\n${log()}`);
      }
      await start(name);
    },
    close,
  };
  try {
    await start('server', first.server);
    await Promise.all(sites.filter((site) => !later.includes(site)).map((site) => start(site, first[site])));
  } catch (error) {
    await close().catch(() => {}); // The first error is the one to tell.
    throw error;
  }
  return federation;
}

async function makeKits(place: string, sites: readonly string[], port: number, options: ChaosOptions): Promise<void> {
  const { server = '', policies = {}, provisionedAt: now } = options;
  const project = projectSpec.parse({
    version: 1,
    project: 'chaos',
    server: { hosts: ['127.0.0.1'], port },
    sites: sites.map((name) => ({ name, org: name })),
    admins: [{ name: 'ada', org: 'north', role: 'admin' }],
  });
  await provision(project, place, now === undefined ? {} : { now });
  const settings = `host: 127.0.0.1\nmetricsPort: null\nheartbeatSeconds: 1\ndeadSeconds: 5\nstallSeconds: 15\n${server}`;
  const kit = (name: string) => join(place, 'kits', name);
  await writeFile(join(kit('server'), 'server.yaml'), settings);
  for (const site of sites) {
    await writeFile(join(kit(site), 'policy.yaml'), `version: 1\ncode: any\n${policies[site] ?? ''}`);
    await writeFile(join(kit(site), 'site.yaml'), 'version: 1\nslots: 4\nreconnectMaxSeconds: 1\n');
  }
  await cp(compiled().toyClient, join(place, 'toy-client.js'));
}

/** What was not in order about its end. */
async function endInOrder(member: Member): Promise<string | undefined> {
  if (!member.running) return undefined;
  member.signal('SIGCONT');
  member.signal('SIGTERM');
  const late = setTimeout(() => member.signal('SIGKILL'), 15_000);
  const { code, signal } = await member.exited;
  clearTimeout(late);
  return code === 0 ? undefined : `'${member.name}' ended with ${code ?? signal} at the end:\n${member.log()}`;
}

/** Processes whose working directory lies in a folder, once those that are just ending have ended. */
async function processesIn(folder: string): Promise<number[]> {
  for (let look = 0; ; look++) {
    const left = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && cwdOf(pid)?.startsWith(folder));
    if (left.length === 0 || look === 50) return left.map(Number);
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

/** Processes that a process has started, and those in turn. */
export function descendantsOf(pid: number): number[] {
  const children = readdirSync('/proc').filter((one) => /^\d+$/.test(one) && parentOf(one) === pid);
  return children.map(Number).flatMap((child) => [child, ...descendantsOf(child)]);
}

function parentOf(pid: string): number | undefined {
  try {
    return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}
