/** All sites of the benchmark in one process; their training adds a constant. */
import { join } from 'node:path';
import type { Task } from '../../src/protocol/messages';
import { siteJobs } from '../../src/runtime/client/site-jobs';
import type { NamedTensors } from '../../src/tensor/tensor';
import { runAgent } from '../../src/transport/agent';
import { websocketDialer } from '../../src/transport/websocket/client';
import { nodeClock } from '../../src/util/clock';
import { nodeDisk } from '../../src/util/node-disk';
import type { ClientsOrder } from './order';

process.once('message', ({ folder, address, credentials }: ClientsOrder) => {
  for (const [site, kit] of Object.entries(credentials)) {
    startSite(site, join(folder, site), websocketDialer({ address, credentials: kit })).catch((error: unknown) => {
      console.error(error);
      process.exit(1);
    });
  }
});

async function startSite(site: string, folder: string, dialer: ReturnType<typeof websocketDialer>): Promise<void> {
  const jobs = await siteJobs({
    disk: nodeDisk,
    folder,
    site,
    consider: async () => ({ verdict: 'accepted', reason: '' }),
    start: async () => ({ run: async (task) => answerTo(task, site), close: async () => {} }),
  });
  await runAgent({
    clock: nodeClock,
    dialer,
    random: () => 0.5,
    software: 'benchmark',
    boot: 'one',
    resources: { slots: 1, memoryMb: 1, gpus: 0 },
    times: {
      heartbeatMs: 10_000,
      deadMs: 60_000,
      welcomeMs: 60_000,
      reconnectMinMs: 1000,
      reconnectMaxMs: 30_000,
    },
    jobs,
    on: (event) => {
      if (event.kind === 'task-failed' || event.kind === 'trouble') console.error(site, event.error);
    },
    signal: new AbortController().signal,
  });
}

/** One update for all sites and rounds: its memory is that of one. */
const updates = new Map<number, NamedTensors>();

function answerTo({ kind, round, model }: Task, site: string) {
  const length = model.get('w')!.data.length;
  const known = updates.get(length);
  const diff: NamedTensors =
    known ?? new Map([['w', { dtype: 'float32', shape: [length], data: new Float32Array(length).fill(1e-3) }]]);
  updates.set(length, diff);
  const payload =
    kind === 'train'
      ? ({ kind: 'weight-diff', tensors: diff, metrics: { score: round }, steps: 1 } as const)
      : ({ kind: 'metrics', tensors: new Map(), metrics: { score: round }, steps: 0 } as const);
  const seconds = { validate: 0, train: 0, other: 0 };
  return { site, round, task: kind, payload, privacy: [], seconds };
}
