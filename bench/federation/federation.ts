/**
 * What a real federation costs besides training: a server and its sites over TLS with certificates on both sides, on this
 * machine's loopback; models and updates checked, flushed, journalled, averaged and checkpointed. The server is a process of its
 * own and so are the sites, together: memory is the server's. Both run compiled, as they do at hospitals.
 */
import type { ChildProcess } from 'node:child_process';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { authority, issueServer } from '../../test/support/certificates';
import { compileProcesses, forkCompiled } from '../compiled';
import { inTemporaryFolder, median } from '../measure';
import { bareSpeed } from '../wire/wire';
import type { ClientsOrder, ServerOrder, ServerReport } from './order';
import { restartBench } from './restart';

/** Of SegResNet: 18.8 MB. */
const segresnet = 4_702_227;

export const federationRows = {
  /** 4 sites, a model of 1 kB: what a round takes. */
  rounds: async () => {
    const { rounds } = await federation(4, 256, 60);
    return { msPerRound: median(rounds.slice(5)), worst: Math.max(...rounds.slice(5)) };
  },
  /** L-01 and L-03: 4 sites × 18.8 MB × 20 rounds, between two turns of bare websockets; 32 sites × 3 rounds. */
  large: async () => {
    const bareBefore = await bareSpeed();
    const four = await federation(4, segresnet, 20);
    const bareMbPerS = (bareBefore + (await bareSpeed())) / 2;
    const many = await federation(32, segresnet, 3);
    const { mbPerS, ...ofFour } = speedOf(four, 4);
    const beside = { mbPerS, bareMbPerS, ratio: mbPerS / bareMbPerS };
    return { four: { ...ofFour, ...beside }, thirtyTwo: speedOf(many, 32), moreMbFor32: many.peakMb - four.peakMb };
  },
  /** L-05: 1,000 rounds × 4 sites × 200 kB: whether anything grows. */
  endurance: async () => {
    const { rounds, heap, state, open, peakMb } = await federation(4, 50_000, 1000);
    const ofAll = (samples: readonly number[]) => slope(samples.slice(5)) / 20; // One every 20 rounds, from round 100 on.
    const [heapSlopePerRound, withoutCode] = [ofAll(heap), ofAll(state)];
    return { msPerRound: median(rounds), heapSlopePerRound, withoutCode, open: [open[0], open.at(-1)], peakMb };
  },
  /** L-07: 200 sites × 64 kB × 20 rounds. */
  many: async () => {
    const { rounds, peakMb } = await federation(200, 16_000, 20);
    return { msPerRound: median(rounds), worst: Math.max(...rounds), peakMb };
  },
  /** L-10: from the start of a server that was killed to its next task, with 1 GB in 10,000 accepted answers. */
  restart: () => restartBench(),
} as const;

export async function federationBench(): Promise<unknown> {
  const results: Record<string, unknown> = {};
  for (const [name, row] of Object.entries(federationRows)) results[name] = { ...(await row()), load: loadavg()[0] };
  return results;
}

function speedOf({ rounds, startMb, peakMb }: ServerReport, sites: number) {
  const bytesPerRound = 2 * sites * 4 * segresnet;
  const msPerRound = median(rounds);
  return { msPerRound, worst: Math.max(...rounds), mbPerS: bytesPerRound / 1e6 / (msPerRound / 1000), startMb, peakMb };
}

/** Of a straight line through the points 0, 1, 2, … (least squares). */
function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const covariance = values.reduce((sum, value, i) => sum + (i - middle) * (value - mean), 0);
  return covariance / values.reduce((sum, _, i) => sum + (i - middle) ** 2, 0);
}

function federation(sites: number, parameters: number, rounds: number): Promise<ServerReport> {
  return inTemporaryFolder(async (folder) => {
    const project = await authority();
    const { ca } = project;
    const names = Array.from({ length: sites }, (_, i) => `site-${i + 1}`);
    const kits = await Promise.all(
      names.map(async (name) => [name, { ...(await project.issue({ names: [name] })), ca }]),
    );
    await compileProcesses();
    const server = forkCompiled('federation/server-process');
    const clients = forkCompiled('federation/clients-process');
    try {
      const order: ServerOrder = {
        folder: join(folder, 'server'),
        credentials: { ...(await issueServer(project)), ca },
        sites: names,
        parameters,
        rounds,
      };
      server.send(order);
      const { port } = await answer<{ port: number }>(server);
      const address = `wss://127.0.0.1:${port}`;
      clients.send({ folder, address, credentials: Object.fromEntries(kits) } satisfies ClientsOrder);
      return (await answer<{ report: ServerReport }>(server)).report;
    } finally {
      server.kill();
      clients.kill();
    }
  });
}

function answer<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as T));
    child.once('exit', (code) => reject(new Error(`A process of the benchmark ended with code ${code}.`)));
  });
}
