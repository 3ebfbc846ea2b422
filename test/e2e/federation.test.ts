import { existsSync, readFileSync, watch } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Run, RunResult } from '../../src/jobs/environment';
import { FedAvgRecipe } from '../../src/recipes/fed-avg-recipe';
import type { LocalFederation } from '../../src/runtime/federation/local-federation';
import { runLocally } from '../../src/runtime/federation/run-locally';
import { startRun } from '../../src/runtime/run-handle';
import { SimEnv } from '../../src/runtime/sim-env';

/** A real job, small: a narrow SegResNet on phantoms of 32³, four sites, the privacy filter on. */
const { job } = new FedAvgRecipe({
  name: 'equal',
  sites: 4,
  rounds: 4,
  minSites: 4,
  model: { kind: 'segresnet', initFilters: 8, blocksDown: [1, 1, 1], blocksUp: [1, 1] },
  trainer: { kind: 'segmentation', roi: [16, 16, 16], inferRoi: [32, 32, 32], learningRate: 1e-3, epochs: 4 },
  data: { kind: 'brats18-phantom', sites: 4, casesPerSite: 2, validationCases: 1, shape: [32, 32, 32] },
  filters: [{ at: 'site-out', filter: { kind: 'svt', fraction: 0.9, epsilon: 0.001, noiseVar: 1, gamma: 1e-4 } }],
});

let workspace: string;
let simulated: RunResult;
beforeAll(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'consilium-federation-'));
  simulated = await simulate(1);
});
afterAll(() => rm(workspace, { recursive: true }));

function simulate(threads: number): Promise<RunResult> {
  const place = join(workspace, `slots-${threads}`);
  return new SimEnv({ workspace: place, threads, testNoiseSeed: 7 }).run(job).result();
}

/** A federation of processes on this machine. @param started may break what it is given */
function federation(name: string, started: (federation: LocalFederation) => void = () => {}): Run {
  const options = { workspace: join(workspace, name), jobFolder: workspace, testNoiseSeed: 7 };
  return startRun(job.name, (work) => runLocally(job, options, work, started));
}

/** What there still is of a federation: processes, and its folder. */
function left(federation: LocalFederation | undefined): readonly unknown[] {
  const processes = [federation!.server, ...federation!.sites.values()].filter(({ pid }) => isAlive(pid!));
  return [...processes, ...(existsSync(federation!.siteWorkspace('site-1')) ? ['its folder'] : [])];
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Resolves as soon as a site's log says that it has begun with its task of a round. */
function taskStarted(siteWorkspace: string, round: number): Promise<void> {
  const log = join(siteWorkspace, 'log.json');
  const line = new RegExp(`"round":${round},.*"task started"`);
  return new Promise((resolve) => {
    const watcher = watch(log, () => {
      if (!line.test(readFileSync(log, 'utf8'))) return;
      watcher.close();
      resolve();
    });
  });
}

describe('the same job and seed give the same bytes of the final model', () => {
  it('with four slots as with one', async () => {
    expect((await simulate(4)).finalModelSha256).toBe(simulated.finalModelSha256);
  });

  it('at a server with four sites, each a process, and leave the same files', async () => {
    let processes: LocalFederation | undefined;
    const run = federation('calm', (started) => {
      processes = started;
    });
    const result = await run.result();
    expect(result.finalModelSha256).toBe(simulated.finalModelSha256);
    expect(Object.keys(result.files).sort()).toEqual(Object.keys(simulated.files).sort());
    expect(Object.values(result.files).filter((file) => !existsSync(file))).toEqual([]);
    expect({ ...result.best, rounds: result.rounds }).toEqual({ ...simulated.best, rounds: simulated.rounds });
    expect(result.history.map(({ metrics }) => metrics)).toEqual(simulated.history.map(({ metrics }) => metrics));
    const ledger = join(result.folder, 'site-1', 'simulate_job', 'privacy', 'ledger.jsonl');
    expect(readFileSync(ledger, 'utf8').trim().split('\n')).toHaveLength(4);
    expect(readFileSync(join(result.folder, 'site-3', 'log.txt'), 'utf8')).toMatch(/job accepted/);
    expect(left(processes)).toEqual([]);
  });

  it('when the server is killed in round 2 and a site in round 3, and both come back', async () => {
    let processes: LocalFederation | undefined;
    const killed: string[] = [];
    const run = federation('killed', (started) => {
      processes = started;
      void taskStarted(started.siteWorkspace('site-1'), 2).then(() => {
        started.server.kill();
        killed.push('server');
      });
      void taskStarted(started.siteWorkspace('site-2'), 3).then(() => {
        started.sites.get('site-2')!.kill();
        killed.push('site-2');
      });
    });
    const crashes: string[] = [];
    for await (const event of run.events()) {
      if (event.kind === 'log' && event.message.includes('SIGKILL')) crashes.push(event.message);
    }
    const result = await run.result();
    expect(killed).toEqual(['server', 'site-2']);
    expect(crashes).toEqual([expect.stringMatching(/^The process of server/), expect.stringMatching(/of site-2/)]);
    expect(result.finalModelSha256).toBe(simulated.finalModelSha256);
    expect(result.history.map(({ round }) => round)).toEqual([0, 1, 2, 3, 4]);
    expect(left(processes)).toEqual([]);
  });
});
