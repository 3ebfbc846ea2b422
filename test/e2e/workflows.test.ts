import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  CrossSiteEvalRecipe,
  CyclicRecipe,
  crossSiteMatrix,
  FedAvgRecipe,
  type FedAvgRecipeOptions,
  FedEvalRecipe,
  FedOptRecipe,
  FedProxRecipe,
  float32,
  jobFromYaml,
  jobToYaml,
  loadModelFile,
  type Recipe,
  type Run,
  type RunResult,
  ScaffoldRecipe,
  SimEnv,
  saveModelFile,
  WorkflowRecipe,
} from '../../src';
import { descend } from '../support/parts/descend';

const common: FedAvgRecipeOptions = {
  name: 'run',
  sites: 3,
  rounds: 3,
  model: { kind: 'tensors', tensors: { w: [2] }, start: 'normal' },
  trainer: descend({ steps: 2 }),
  siteConfig: { 'site-1': 1, 'site-2': 2, 'site-3': 6 },
  keyMetric: 'distance',
  keyMetricMode: 'min',
};

const personal: FedAvgRecipeOptions = {
  ...common,
  model: { kind: 'tensors', tensors: { 'conv.w': [2], 'norm.w': [2] }, start: 'normal' },
  personal: { names: ['norm'] },
};

/** Every way of training that a recipe offers. */
const trainings: Readonly<Record<string, () => Recipe>> = {
  'FedAvgRecipe with sampling': () => new FedAvgRecipe({ ...common, sitesPerRound: 2 }),
  'FedAvgRecipe with FedPIDAvg': () =>
    new FedAvgRecipe({ ...common, aggregator: { kind: 'pid-weighted', metric: 'distance' } }),
  'FedAvgRecipe with centred clipping': () =>
    new FedAvgRecipe({ ...common, aggregator: { kind: 'centred-clipping', radius: 0.5, iterations: 2 } }),
  FedProxRecipe: () => new FedProxRecipe({ ...common, proximalMu: 0.5 }),
  FedOptRecipe: () => new FedOptRecipe({ ...common, serverOptimiser: { kind: 'adam', learningRate: 1 } }),
  'FedAvgRecipe with personal tensors': () => new FedAvgRecipe(personal),
  'FedAvgRecipe with Ditto': () => new FedAvgRecipe({ ...common, strategy: 'ditto', strategyOptions: { lambda: 1 } }),
  'WorkflowRecipe with the contrast term of FedMRI': () => {
    const { rounds, personal: kept, keyMetric: _, keyMetricMode: __, ...others } = personal;
    const key = { keyMetric: 'distance', keyMetricMode: 'min' } as const;
    const workflow = { kind: 'fed-avg', rounds, minSites: 3, personal: kept, contrast: { beta: 2 }, ...key } as const;
    return new WorkflowRecipe({ ...others, workflow });
  },
  'WorkflowRecipe with FedSelect': () => {
    const { rounds, keyMetric: _, keyMetricMode: __, ...others } = common;
    const model = {
      kind: 'tensors',
      tensors: { 'a.weight': [20] },
      start: 'normal',
    } satisfies FedAvgRecipeOptions['model'];
    const key = { keyMetric: 'distance', keyMetricMode: 'min' } as const;
    return new WorkflowRecipe({
      ...others,
      model,
      workflow: { kind: 'fed-select', rounds, minSites: 3, every: 1, ...key },
    });
  },
  ScaffoldRecipe: () => new ScaffoldRecipe({ ...common, learningRate: 0.2 }),
  'ScaffoldRecipe with sampling': () => new ScaffoldRecipe({ ...common, learningRate: 0.2, sitesPerRound: 2 }),
  CyclicRecipe: () => new CyclicRecipe({ ...common, order: 'random-no-repeat' }),
  CrossSiteEvalRecipe: () => new CrossSiteEvalRecipe(common),
};

let workspace: string;
let count = 0;
beforeAll(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'consilium-workflows-'));
});
afterAll(() => rm(workspace, { recursive: true }));

const fresh = () => join(workspace, String(count++));
const run = (recipe: Recipe) => recipe.execute(new SimEnv({ workspace: fresh(), threads: 1 })).result();

async function abortAfter(started: Run, round: number): Promise<void> {
  for await (const event of started.events()) {
    if (event.kind === 'round-finished' && event.round === round) started.abort();
  }
  await expect(started.result()).rejects.toMatchObject({ tag: 'AbortedError' });
}

/** The lines of a site's log that its training wrote. */
function trainingLog({ folder }: RunResult, site: string): string[] {
  return readFileSync(join(folder, site, 'log.txt'), 'utf8')
    .split('\n')
    .flatMap((line) => /settings .*/.exec(line)?.[0] ?? []);
}

describe.each(Object.entries(trainings))('%s', (_, make) => {
  it('gives the same model from its job file, and stopped after a round and continued', async () => {
    const straight = await run(make());
    expect(straight.rounds).toBe(3);
    expect(straight.history.map(({ round, final }) => [round, final])).toEqual([
      [0, false],
      [1, false],
      [2, false],
      [3, true],
    ]);
    const { job, folder } = make();
    const read = jobFromYaml(jobToYaml(job), 'job.yaml', { environment: {}, folder });
    const fromFile = await new SimEnv({ workspace: fresh(), threads: 1 }).run(read, { folder }).result();
    expect(fromFile.finalModelSha256).toBe(straight.finalModelSha256);

    const stopped = fresh();
    await abortAfter(make().execute(new SimEnv({ workspace: stopped, threads: 1 })), 1);
    const environment = new SimEnv({ workspace: stopped, resume: true, threads: 2 });
    const continued = await make().execute(environment).result();
    expect(continued.finalModelSha256).toBe(straight.finalModelSha256);
    expect(continued.results).toEqual(straight.results);
  });
});

describe('what the algorithm wants reaches the training code', () => {
  it.each<[string, string]>([
    ['FedProxRecipe', 'settings {"proximalMu":0.5}, correction absent'],
    ['FedOptRecipe', 'settings null, correction absent'],
    ['ScaffoldRecipe', 'settings {"learningRate":0.2}, correction given'],
    ['CyclicRecipe', 'settings {"validate":false}, correction absent'],
  ])('of %s', async (name, line) => {
    expect(trainingLog(await run(trainings[name]!()), 'site-2')).toEqual([line, line, line]);
  });
});

it('writes the own model of each site where it lies: its own tensors, and the global model for the rest', async () => {
  const { folder, files } = await run(new FedAvgRecipe(personal));
  const global = (await loadModelFile(files.final_safetensors!)).tensors;
  const own = await Promise.all(
    [1, 2, 6].map(async (target, i) => {
      const file = join(folder, `site-${i + 1}`, 'simulate_job', 'personal_model.safetensors');
      const { tensors } = await loadModelFile(file);
      expect(tensors.get('conv.w')).toEqual(global.get('conv.w'));
      // Six steps of rate 0.3 towards the site's own target: what is left is 0.7⁶ of the way.
      const start = [...tensors.get('norm.w')!.data].map((w) => target + (Number(w) - target) / 0.7 ** 6);
      return { start, data: tensors.get('norm.w')!.data };
    }),
  );
  const mean = [0, 1].map((i) => own.reduce((sum, { data }) => sum + Number(data[i]), 0) / 3);
  for (const i of [0, 1]) {
    for (const { start } of own) expect(start[i]).toBeCloseTo(own[0]!.start[i]!, 5);
    expect(Number(global.get('norm.w')!.data[i])).toBeCloseTo(mean[i]!, 5);
  }
});

it('samples as many sites a round as asked, and says which', async () => {
  const { history } = await run(trainings['FedAvgRecipe with sampling']!());
  const asked = history.map(({ sites }) => sites.map(({ name }) => name));
  expect(asked.map((sites) => sites.length)).toEqual([2, 2, 2, 3]);
  expect(new Set(asked.flat()).size).toBe(3);
});

it('ends early, says why, and evaluates the model it ended with; the same when it is continued', async () => {
  const make = () => new FedAvgRecipe({ ...common, rounds: 50, earlyStop: { patience: 2, minDelta: 1e-3 } });
  const started = make().execute(new SimEnv({ workspace: fresh(), threads: 1 }));
  const notes: string[] = [];
  for await (const event of started.events()) if (event.kind === 'log') notes.push(event.message);
  const { rounds, history, finalModelSha256 } = await started.result();
  expect(rounds).toBeLessThan(20);
  expect(history.at(-1)).toMatchObject({ round: rounds, final: true });
  expect(notes.filter((note) => note.startsWith('Stopped early: distance of the global model'))).toHaveLength(1);
  const stopped = fresh();
  await abortAfter(make().execute(new SimEnv({ workspace: stopped, threads: 1 })), 1);
  const continued = await make()
    .execute(new SimEnv({ workspace: stopped, resume: true, threads: 1 }))
    .result();
  expect(continued.finalModelSha256).toBe(finalModelSha256);
});

it('scores a checkpoint at every site', async () => {
  const file = join(workspace, 'given.safetensors');
  await saveModelFile(file, new Map([['w', float32([2], [2, 3])]]));
  const { sites, model: _, rounds: __, ...rest } = common;
  const result = await run(new FedEvalRecipe({ ...rest, sites, model: { kind: 'checkpoint', file } }));
  expect(result.history).toHaveLength(1);
  expect(result.history[0]!.sites.map(({ metrics }) => metrics?.distance)).toEqual([2, 1, 4]);
  expect(result.final).toEqual({ round: 0, metrics: { distance: (2 + 1 + 4) / 3 } });
});

describe('cross-site evaluation', () => {
  it('scores the models of all sites, of the server and of files at all sites', async () => {
    const file = join(workspace, 'theirs.safetensors');
    await saveModelFile(file, new Map([['w', float32([2], [6, 6])]]));
    const result = await run(new CrossSiteEvalRecipe({ ...common, checkpoints: { theirs: file } }));
    const { models, scores } = crossSiteMatrix(result.results)!;
    expect(models).toEqual(['site-1', 'site-2', 'site-3', 'server/best', 'theirs', 'server/final']);
    expect(scores.theirs).toEqual({ 'site-1': { distance: 5 }, 'site-2': { distance: 4 }, 'site-3': { distance: 0 } });
    for (const site of ['site-1', 'site-3']) {
      const own = models.slice(0, 3).map((model) => scores[model]![site]!.distance!);
      expect(models[own.indexOf(Math.min(...own))]).toBe(site);
    }
    expect(JSON.parse(readFileSync(result.files['cross-site-evaluation']!, 'utf8'))).toEqual(
      result.results['cross-site-evaluation'],
    );
    expect(readFileSync(result.files.report!, 'utf8')).toContain('<h2>Cross-site evaluation</h2>');
  });

  it('without rounds, scores files and the model of the job', async () => {
    const file = join(workspace, 'start.safetensors');
    await saveModelFile(file, new Map([['w', float32([2], [1, 1])]]));
    const model = { kind: 'checkpoint', file } as const;
    const result = await run(new CrossSiteEvalRecipe({ ...common, rounds: 0, model, checkpoints: { same: file } }));
    const { models, scores } = crossSiteMatrix(result.results)!;
    expect(models).toEqual(['same', 'server/initial']);
    expect(scores.same).toEqual(scores['server/initial']);
  });

  it('says so when a file is of another model', async () => {
    const file = join(workspace, 'odd.safetensors');
    await saveModelFile(file, new Map([['w', float32([3], [1, 1, 1])]]));
    const failing = run(new CrossSiteEvalRecipe({ ...common, rounds: 1, checkpoints: { odd: file } }));
    await expect(failing).rejects.toThrow(/odd.safetensors' is no file of the job's model: 'w' is float32 \[3\]/);
  });
});

it('a site that trains now and then keeps a few states only', async () => {
  const many = new ScaffoldRecipe({ ...common, rounds: 12, learningRate: 0.1, sitesPerRound: 1 });
  const { folder } = await run(many);
  for (const site of ['site-1', 'site-2', 'site-3']) {
    const states = readdirSync(join(folder, site, 'simulate_job', 'state')).filter((name) =>
      name.endsWith('.safetensors'),
    );
    expect(states.length).toBeLessThanOrEqual(4);
  }
});
