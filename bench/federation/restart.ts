/**
 * L-10: how long a server that was killed takes from its start to the next task, with 1 GB of answers that were accepted and
 * are not aggregated yet: those of 9,999 of 10,000 sites, each 100 kB.
 */
import { join } from 'node:path';
import { jobHash, parseJob } from '../../src/jobs/job-spec';
import { updateFileParts } from '../../src/protocol/update-file';
import { checkpointStore } from '../../src/runtime/checkpoint';
import { modelDigest } from '../../src/runtime/model-digest';
import { runFolder } from '../../src/runtime/run-folder';
import { RunRecord } from '../../src/runtime/run-record';
import { createServer } from '../../src/runtime/server/federation-server';
import { openJobStore, writeSpec } from '../../src/runtime/server/job-store';
import { serverSettings } from '../../src/runtime/server/server-settings';
import { freshStart } from '../../src/runtime/server-run';
import type { NamedTensors } from '../../src/tensor/tensor';
import { openRunLog } from '../../src/tracking/run-log';
import { nodeClock } from '../../src/util/clock';
import { nodeDisk } from '../../src/util/node-disk';
import { sha256Of } from '../../src/util/sha256';
import { inTemporaryFolder } from '../measure';

const siteCount = 10_000;
const parameters = 25_000;

const spec = parseJob({
  version: 1,
  name: 'restart',
  sites: Array.from({ length: siteCount }, (_, i) => `site-${i}`),
  workflow: { kind: 'fed-avg', rounds: 2, minSites: siteCount, keyMetric: 'score' },
  model: { kind: 'tensors', tensors: { w: [parameters] }, start: 'zeros' },
  trainer: { kind: 'command', command: ['none'] },
});

export interface RestartTimes {
  /** Until the job is open for its sites. */
  readonly openSeconds: number;
  /** Until the last site is asked, and the processor time until then. */
  readonly nextTaskSeconds: number;
  readonly cpuSeconds: number;
}

export async function restartBench(): Promise<RestartTimes> {
  return inTemporaryFolder(async (workspace) => {
    await leaveWorkspace(workspace);
    const [started, cpuBefore] = [performance.now(), process.cpuUsage()];
    const seconds = () => (performance.now() - started) / 1000;
    const server = await createServer({
      clock: nodeClock,
      disk: nodeDisk,
      newId: () => 'session',
      workspace,
      settings: serverSettings.parse({}),
      project: 'bench',
      name: 'server',
      ca: '',
      roster: () => ({ version: 1, project: 'bench', serial: 1, entries: [] }),
      software: 'bench',
      log: openRunLog(workspace, { clock: Date.now }),
      record: (options) => new RunRecord(options),
    });
    const run = server.jobs.runningJob('restart-1');
    const openSeconds = seconds();
    while ((run ?? server.jobs.runningJob('restart-1'))?.status().waiting.length !== 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const nextTaskSeconds = seconds();
    const { user, system } = process.cpuUsage(cpuBefore);
    await server.stop();
    return { openSeconds, nextTaskSeconds, cpuSeconds: (user + system) / 1e6 };
  });
}

/** What a server leaves that was killed just before the answer of the last site came. */
async function leaveWorkspace(workspace: string): Promise<void> {
  const model: NamedTensors = new Map([
    ['w', { dtype: 'float32', shape: [parameters], data: new Float32Array(parameters) }],
  ]);
  const jobs = await openJobStore({
    disk: nodeDisk,
    clock: nodeClock,
    folder: join(workspace, 'jobs'),
    warn: console.error,
  });
  const made = jobs.making();
  await writeSpec(made.job, spec, nodeDisk);
  const hash = jobHash(spec);
  const time = new Date().toISOString();
  const part = { sha256: sha256Of(Buffer.from('part')), size: 4 };
  await jobs.add(
    {
      ...{ version: 1, id: 'restart-1', order: 0, name: spec.name, hash, jobHash: hash, bundle: part },
      ...{ submitter: { name: 'ada', org: 'bench' }, owner: 'ada', sites: spec.sites, minSites: siteCount, rounds: 2 },
      ...{ resources: { memoryMb: 0, gpus: 0 }, parts: Object.fromEntries(spec.sites.map((site) => [site, part])) },
      ...{ withdrawn: {}, finishedRounds: 0, metrics: {}, refusals: {}, accepted: [] },
      history: [{ state: 'running', time }],
    },
    made,
  );
  const folder = runFolder(jobs.folder('restart-1').root, spec.name);
  const store = checkpointStore(folder.checkpoint, { keepAll: true });
  const start = freshStart(hash, model);
  await store.save(start);
  const digest = modelDigest(start.model);
  for (let i = 0; i < siteCount - 1; i++) {
    const tensors: NamedTensors = new Map([
      ['w', { dtype: 'float32', shape: [parameters], data: new Float32Array(parameters).fill(i / 7) }],
    ]);
    const payload = { kind: 'weight-diff', tensors, metrics: { score: 0 }, steps: 1 } as const;
    const seconds = { validate: 0, train: 1, other: 0 };
    const update = { site: `site-${i}`, round: 0, task: 'train', payload, privacy: [], seconds };
    const spool = join(workspace, 'spool');
    const parts = updateFileParts(update, digest);
    const file = join(spool, sha256Of(...parts));
    await nodeDisk.makeFolder(spool);
    const opened = await nodeDisk.open(file, 'new');
    await opened.write(parts);
    await opened.close();
    await store.journal.record(update, start.model, { spooled: file });
  }
}
