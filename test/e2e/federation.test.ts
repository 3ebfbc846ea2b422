import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FedAvgRecipe, PocEnv, ProdEnv, SimEnv } from '../../src';
import type { RunResult } from '../../src/jobs/environment';
import { type LocalProcess, startLocalProcess } from '../../src/runtime/federation/local-process';
import { projectSpec } from '../../src/runtime/provision/project';
import { provision } from '../../src/runtime/provision/provision';
import { freePort } from '../support/free-port';

/** NOT PRIVATE, so that runs can be compared. */
const testNoiseSeed = 7;
const folder = mkdtempSync(join(tmpdir(), 'consilium-federation-'));
const processes: LocalProcess[] = [];
afterEach(async () => {
  await Promise.all(processes.splice(0).map((one) => one.stop()));
});
afterAll(() => rmSync(folder, { recursive: true }));

const never = new AbortController().signal;
const sites = ['site-1', 'site-2', 'site-3', 'site-4'];

/** A small SegResNet on synthetic volumes, behind the sparse-vector filter. */
const recipe = new FedAvgRecipe({
  name: 'small',
  sites,
  rounds: 4,
  model: {
    kind: 'segresnet',
    inChannels: 4,
    outChannels: 3,
    initFilters: 8,
    blocksDown: [1, 1],
    blocksUp: [1],
    dropoutProb: 0.2,
  },
  trainer: { kind: 'segmentation', epochs: 1, learningRate: 1e-3, roi: [16, 16, 16], inferRoi: [16, 16, 16] },
  data: { kind: 'brats18-phantom', sites: 4, casesPerSite: 2, validationCases: 1, shape: [32, 32, 32] },
  filters: [{ at: 'site-out', filter: { kind: 'svt', fraction: 0.9, epsilon: 1, noiseVar: 1, gamma: 1e-3 } }],
});

const ended = { timeout: 300_000 };

describe('one job in the simulator, in local processes and in a federation that is killed', () => {
  let simulated: RunResult;
  beforeAll(async () => {
    simulated = await recipe
      .execute(new SimEnv({ workspace: join(folder, 'one'), threads: 1, testNoiseSeed }))
      .result();
  }, ended.timeout);

  it('gives the same bytes with four slots', ended, async () => {
    const four = new SimEnv({ workspace: join(folder, 'four'), threads: 4, testNoiseSeed });
    expect((await recipe.execute(four).result()).finalModelSha256).toBe(simulated.finalModelSha256);
  });

  it(
    'gives the same bytes between a server and four sites, with the same result, files and events',
    ended,
    async () => {
      const run = recipe.execute(new PocEnv({ workspace: join(folder, 'poc'), testNoiseSeed }));
      const rounds: number[] = [];
      for await (const event of run.events()) if (event.kind === 'round-finished') rounds.push(event.round);
      const result = await run.result();
      expect(result.finalModelSha256).toBe(simulated.finalModelSha256);
      expect(rounds).toEqual([0, 1, 2, 3, 4]);
      expect(result.best).toEqual(simulated.best);
      expect(result.final).toEqual(simulated.final);
      expect(result.history.map(({ metrics }) => metrics)).toEqual(simulated.history.map(({ metrics }) => metrics));
      expect(Object.values(result.files).filter((file) => !existsSync(file))).toEqual([]);
    },
  );

  it('gives the same bytes when the server is killed in round 2 and a site in round 3', ended, async () => {
    const place = join(folder, 'killed');
    const kit = (name: string) => join(place, 'kits', name);
    const project = projectSpec.parse({
      version: 1,
      project: 'killed',
      server: { hosts: ['127.0.0.1'], port: await freePort() },
      sites: sites.map((name) => ({ name, org: name })),
      admins: [{ name: 'ada', org: 'north', role: 'researcher' }],
    });
    await provision(project, place);
    const start = async (command: string, name: string): Promise<LocalProcess> => {
      const args = [command, '--kit', kit(name), '--json'];
      const one = startLocalProcess(name, args, () => {}, testNoiseSeed);
      processes.push(one);
      await one.ready(never);
      return one;
    };
    let server = await start('server', 'server');
    const clients = new Map(await Promise.all(sites.map(async (site) => [site, await start('client', site)] as const)));
    const run = recipe.execute(new ProdEnv({ kit: kit('ada'), workspace: join(folder, 'killed-results') }));
    const killed: string[] = [];
    for await (const event of run.events()) {
      if (event.kind === 'round-started' && event.round === 2 && !killed.includes('server')) {
        killed.push('server');
        process.kill(server.pid!, 'SIGKILL');
        server = await start('server', 'server');
      }
      if (event.kind === 'round-started' && event.round === 3 && !killed.includes('site-2')) {
        killed.push('site-2');
        process.kill(clients.get('site-2')!.pid!, 'SIGKILL');
        clients.set('site-2', await start('client', 'site-2'));
      }
    }
    expect((await run.result()).finalModelSha256).toBe(simulated.finalModelSha256);
    expect(killed).toEqual(['server', 'site-2']);
  });
});
