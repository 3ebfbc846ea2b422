/** Sites that compute in a function: the product's agent and store of answers, without training. */
import { join } from 'node:path';
import { AbortedError } from '../../src/errors';
import type { Task, Update } from '../../src/protocol/messages';
import type { SiteResources } from '../../src/protocol/wire/messages';
import { siteJobs, type TaskRunner } from '../../src/runtime/client/site-jobs';
import { float32 } from '../../src/tensor/tensor';
import { runAgent } from '../../src/transport/agent';
import type { Dialer } from '../../src/transport/connection';
import { nodeClock } from '../../src/util/clock';
import { nodeDisk } from '../../src/util/node-disk';
import { updateOf } from './workflow-rig';

export interface ToySite {
  /** @default moves every number of the model by 1 */
  readonly train?: (task: Task, signal: AbortSignal) => Update | Promise<Update>;
  readonly consider?: () => { readonly verdict: 'accepted' | 'refused'; readonly reason: string };
  readonly resources?: SiteResources;
}

export interface RunningSite {
  stop(): Promise<void>;
}

/** What a toy site answers: every number moves by `step`. */
export function movedBy(step: number, site: string, task: Task, steps = 1): Update {
  if (task.kind === 'validate') return updateOf(site, task, { metrics: { score: task.round } });
  const tensors = new Map(
    [...task.model].map(([name, { shape, data }]) => [name, float32(shape, Array(data.length).fill(step))]),
  );
  return updateOf(site, task, { kind: 'weight-diff', tensors, metrics: { score: task.round }, steps });
}

/** Starts a site that keeps what it has in `folder`. */
export async function startToySite(
  name: string,
  folder: string,
  dialer: Dialer,
  own: ToySite = {},
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
  const running = runAgent({
    clock: nodeClock,
    dialer,
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
    async stop() {
      stop.abort(new AbortedError('The site is stopped.'));
      await running;
      await jobs.close();
    },
  };
}
