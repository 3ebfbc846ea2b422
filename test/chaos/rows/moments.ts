/** What several rows do, and look at. */
import { readFileSync } from 'node:fs';
import { descendantsOf } from '../chaos-federation';
import type { AuditRecord, Course, Stage } from '../stage';
import type { ToyJob } from '../toy-job';

/** A job that goes on without one of its sites. */
export const tolerant: Partial<ToyJob> = {
  siteConfig: { stateless: true },
  workflow: { minSites: 2, graceSeconds: 4 },
};

/** Connections of sites that the server has seen the end of. */
export function left(stage: Stage): readonly AuditRecord[] {
  return stage.audit().filter(({ event }) => event === 'left');
}

/** Stops a site, with the processes of its jobs, for a while or until the function is called that comes back. */
export async function pause(stage: Stage, site: string, ms?: number): Promise<() => void> {
  const { pid } = stage.member(site);
  const pids = [pid, ...descendantsOf(pid)];
  for (const one of pids) process.kill(one, 'SIGSTOP');
  const wake = () => {
    for (const one of pids) process.kill(one, 'SIGCONT');
  };
  if (ms === undefined) return wake;
  await new Promise((resolve) => setTimeout(resolve, ms));
  wake();
  return () => {};
}

export const moments = ['idle', 'download', 'training', 'upload'] as const;
export type Moment = (typeof moments)[number];

/** A job in which all moments last long enough to be met, once site-1 has a slow line. */
export const slowJob: Partial<ToyJob> = { rounds: 2, trainMs: 1500, parameters: 1 << 20 };

/** Resolves in the middle of it, at site-1. */
export async function reach(moment: Exclude<Moment, 'idle'>, stage: Stage, course: Course): Promise<void> {
  const proxy = stage.proxy('site-1');
  proxy.faults.bytesPerSecond = 2e6;
  if (moment === 'download') await proxy.carried('to-client', 1e6);
  else if (moment === 'upload') await proxy.carried('to-server', 1e6);
  else await course.training('site-1', 1);
}

/** No connection for a while. */
export async function cutFor(stage: Stage, site: string, ms: number): Promise<void> {
  const proxy = stage.proxy(site);
  proxy.faults.down = true;
  proxy.cut();
  await new Promise((resolve) => setTimeout(resolve, ms));
  proxy.heal();
}

/** Memory of a process, MB. */
export function rssOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
}
