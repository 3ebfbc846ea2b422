import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunResult } from '../../src/jobs/environment';
import { FedAvgRecipe, type FedAvgRecipeOptions } from '../../src/recipes/fed-avg-recipe';
import { SimEnv, type SimEnvOptions } from '../../src/runtime/sim-env';

/** A real job, small: a narrow SegResNet on phantoms of 32³, two sites, three rounds, the privacy filter on. */
const small: FedAvgRecipeOptions = {
  name: 'small',
  sites: 2,
  rounds: 3,
  model: { kind: 'segresnet', initFilters: 8, blocksDown: [1, 1, 1], blocksUp: [1, 1] },
  trainer: { kind: 'segmentation', roi: [16, 16, 16], inferRoi: [32, 32, 32], learningRate: 1e-3, epochs: 4 },
  data: { kind: 'brats18-phantom', sites: 2, casesPerSite: 2, validationCases: 1, shape: [32, 32, 32] },
  filters: [{ at: 'site-out', filter: { kind: 'svt', fraction: 0.9, epsilon: 0.001, noiseVar: 1, gamma: 1e-4 } }],
};

let workspace: string;
let straight: RunResult;

beforeAll(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'consilium-e2e-'));
  straight = await simulate('straight');
});
afterAll(() => rm(workspace, { recursive: true }));

function environment(name: string, options: SimEnvOptions = {}): SimEnv {
  return new SimEnv({ workspace: join(workspace, name), testNoiseSeed: 7, ...options });
}

function simulate(name: string, options: SimEnvOptions = {}, recipe = small): Promise<RunResult> {
  return new FedAvgRecipe(recipe).execute(environment(name, options)).result();
}

function jsonLines(file: string): Record<string, unknown>[] {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('the same job and seed give the same bytes of the final model', () => {
  it('with one slot', async () => {
    expect((await simulate('one-slot', { threads: 1 })).finalModelSha256).toBe(straight.finalModelSha256);
  });

  it('stopped after the first round and continued', async () => {
    const run = new FedAvgRecipe(small).execute(environment('stopped'));
    for await (const event of run.events()) {
      if (event.kind === 'round-finished' && event.round === 0) run.abort();
    }
    await expect(run.result()).rejects.toMatchObject({ tag: 'AbortedError' });
    const continued = await simulate('stopped', { resume: true });
    expect(continued.finalModelSha256).toBe(straight.finalModelSha256);
    expect(jsonLines(continued.files.round_metrics!).map(({ round }) => round)).toEqual([0, 1, 2, 3]);
  });

  it('stopped in the middle of the first round and continued', async () => {
    const run = new FedAvgRecipe(small).execute(environment('first'));
    for await (const event of run.events()) {
      if (event.kind === 'progress' && event.phase === 'train') run.abort();
    }
    await expect(run.result()).rejects.toMatchObject({ tag: 'AbortedError' });
    expect((await simulate('first', { resume: true })).finalModelSha256).toBe(straight.finalModelSha256);
  });

  it('stopped in the middle of a round and continued, without asking a site twice', async () => {
    const models = join(workspace, 'middle', 'small', 'server', 'simulate_job', 'app_server');
    const updates = join(models, 'checkpoint', 'updates', '1');
    const accepted = () => existsSync(updates) && readdirSync(updates).some((name) => name.startsWith('site-1.train.'));
    const run = new FedAvgRecipe(small).execute(environment('middle', { threads: 1 }));
    for await (const event of run.events()) {
      if (event.kind !== 'progress') continue;
      // A disk that is busy may keep the update only after the round; the next one is as good a place to stop then.
      if ((event.round === 1 && event.site === 'site-2' && accepted()) || event.round === 2) run.abort();
    }
    await expect(run.result()).rejects.toMatchObject({ tag: 'AbortedError' });
    const continued = await simulate('middle', { resume: true, threads: 1 });
    expect(continued.finalModelSha256).toBe(straight.finalModelSha256);
    const calls = readFileSync(join(continued.folder, 'site-1', 'simulate_job', 'privacy', 'ledger.jsonl'), 'utf8');
    expect(calls.trim().split('\n')).toHaveLength(3);
  });

  it('and another seed gives another model', async () => {
    const other = await simulate('other-seed', {}, { ...small, seed: 1 });
    expect(other.finalModelSha256).not.toBe(straight.finalModelSha256);
  });
});

describe('a finished run', () => {
  it('leaves the models in three formats, the report, metrics, events, ledger and logs', () => {
    const expected = [
      'server/log.txt',
      'server/log.json',
      'server/simulate_job/job.yaml',
      'server/simulate_job/meta.json',
      'server/simulate_job/report.html',
      'server/simulate_job/metrics/round_metrics.jsonl',
      'server/simulate_job/metrics/metrics_summary.json',
      'server/simulate_job/privacy/ledger.jsonl',
      'site-1/log.txt',
      ...['safetensors', 'pt', 'onnx'].flatMap((suffix) => [
        `server/simulate_job/app_server/FL_global_model.${suffix}`,
        `server/simulate_job/app_server/best_FL_global_model.${suffix}`,
      ]),
    ];
    expect(expected.filter((file) => !existsSync(join(straight.folder, file)))).toEqual([]);
    expect(Object.values(straight.files).filter((file) => !existsSync(file))).toEqual([]);
  });

  it('names the SHA-256 of the final model file', () => {
    const bytes = readFileSync(straight.files.final_safetensors!);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(straight.finalModelSha256);
  });

  it('has a line for every round with the metrics of the model it started from, and one for the finished model', () => {
    const lines = jsonLines(straight.files.round_metrics!);
    expect(lines.map(({ round, final }) => [round, final ?? false])).toEqual([
      [0, false],
      [1, false],
      [2, false],
      [3, true],
    ]);
    const first = lines[0] as { metrics: object; sites: { name: string; status: string; steps: number }[] };
    expect(Object.keys(first.metrics).sort()).toEqual([
      'train_loss',
      'train_loss_epoch_0',
      'train_loss_epoch_1',
      'train_loss_epoch_2',
      'train_loss_epoch_3',
      'val_dice',
      'val_dice_et',
      'val_dice_tc',
      'val_dice_wt',
    ]);
    expect(first.sites).toMatchObject([
      { name: 'site-1', status: 'ok', steps: 8 },
      { name: 'site-2', status: 'ok', steps: 8 },
    ]);
    expect(lines[3]!.metrics).not.toHaveProperty('train_loss');
  });

  it('chooses the best of all global models, the first and the last included', () => {
    const lines = jsonLines(straight.files.round_metrics!) as { round: number; metrics: { val_dice: number } }[];
    const best = Math.max(...lines.map(({ metrics }) => metrics.val_dice));
    expect(straight.best.metrics.val_dice).toBe(best);
    expect(straight.best.round).toBe(lines.find(({ metrics }) => metrics.val_dice === best)!.round);
  });

  it('books every filter call, and says that seeded noise protects nobody', () => {
    const ledger = jsonLines(straight.files.privacy_ledger!);
    expect(ledger.map(({ site, round }) => `${site} ${round}`)).toEqual([
      'site-1 0',
      'site-2 0',
      'site-1 1',
      'site-2 1',
      'site-1 2',
      'site-2 2',
    ]);
    expect(ledger.every(({ differentiallyPrivate }) => differentiallyPrivate === false)).toBe(true);
  });

  it('is kept under a numbered name when another run of its name starts', async () => {
    await simulate('straight', {}, { ...small, rounds: 1 });
    expect(existsSync(join(`${straight.folder}.1`, 'server', 'simulate_job', 'report.html'))).toBe(true);
  });
});

describe('a run that cannot be continued', () => {
  it('because there is none, says so', async () => {
    await expect(simulate('nowhere', { resume: true })).rejects.toThrow('no run to continue');
  });

  it('because its settings differ, names the job file', async () => {
    const other = simulate('one-slot', { resume: true }, { ...small, seed: 2 });
    await expect(other).rejects.toMatchObject({ tag: 'ConfigError', hint: expect.stringContaining('job.yaml') });
  });
});
