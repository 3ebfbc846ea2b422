import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MriTranslationRecipe, type RunResult, SimEnv } from '../../src';
import { readNpy } from '../../src/imaging/npy/read-npy';
import { runProgram } from '../support/run-program';

const workspace = mkdtempSync(join(tmpdir(), 'consilium-translation-'));
afterAll(() => rmSync(workspace, { recursive: true }));

function evaluate(...args: readonly string[]) {
  return runProgram('node', ['bin/consilium.js', 'evaluate', ...args]);
}

const recipe = (name: string) =>
  new MriTranslationRecipe({
    name,
    strategy: 'fedbadam',
    nClients: 2,
    rounds: 2,
    epochs: 1,
    batchSize: 4,
    base: 2,
    testMetrics: true,
    data: { patientsPerSite: 4, shape: [32, 32, 16] },
  });

let result: RunResult;
beforeAll(async () => {
  result = await recipe('tiny')
    .execute(new SimEnv({ workspace, threads: 2 }))
    .result();
});

describe('a job of MRI translation', () => {
  it('gives the same bytes whether sites train at the same time or not', async () => {
    const alone = await recipe('alone')
      .execute(new SimEnv({ workspace, threads: 1 }))
      .result();
    expect(alone.finalModelSha256).toBe(result.finalModelSha256);
    expect(alone.final.metrics).toEqual(result.final.metrics);
  });

  it('with FedAdam over the whole state of the network warns of variances below 0 and stays finite; FedBAdam has none', async () => {
    const run = async (strategy: 'fedadam' | 'fedbadam') => {
      const job = new MriTranslationRecipe({
        ...{ name: `exact_${strategy}`, strategy, seedExact: true, nClients: 2, rounds: 9 },
        ...{ epochs: 2, batchSize: 2, base: 4, data: { patientsPerSite: 3, shape: [32, 32, 8] } },
      });
      const started = job.execute(new SimEnv({ workspace, threads: 1 }));
      const notes: string[] = [];
      for await (const event of started.events()) if (event.kind === 'log') notes.push(event.message);
      const { final, history } = await started.result();
      const scores = [...history.map(({ metrics }) => metrics.val_ssim), final.metrics.val_ssim];
      return { warnings: notes.filter((note) => note.startsWith('Running variances came out below 0')), scores };
    };
    const adam = await run('fedadam');
    expect(adam.warnings.join()).toContain('inc.norm1.running_var');
    expect(adam.scores.every(Number.isFinite)).toBe(true);
    const badam = await run('fedbadam');
    expect(badam.warnings).toEqual([]);
    expect(badam.scores.at(-1)).toBeGreaterThan(adam.scores.at(-1) as number);
  });

  it("is scored by consilium evaluate as the run did: each site's own model on its own slices, and the predictions are kept", async () => {
    const predictions = join(workspace, 'predictions');
    const model = result.files.final_pt!;
    const { stdout } = await evaluate('--model', model, '--personal', '--predictions', predictions, '--json');
    const found = JSON.parse(stdout);
    expect(found).toMatchObject({ translation: 't1:t2', split: 'test' });
    expect(found.sites.map(({ site }: { site: string }) => site)).toEqual(['site-1', 'site-2']);
    for (const name of ['loss', 'mse', 'masked_mse', 'relative_error', 'ssim', 'psnr']) {
      expect(found.overall[name], name).toBeCloseTo(result.final.metrics[`test_${name}`]!, 6);
    }
    for (const { site, slices, model: file } of found.sites) {
      expect(file).toContain(join(site, 'simulate_job', 'personal_model.safetensors'));
      const files = readdirSync(join(predictions, site));
      expect(files).toHaveLength(slices);
      const { data, shape } = await readNpy(join(predictions, site, files[0]!));
      expect(shape).toEqual([32, 32]);
      expect(data.every((value) => value > 0 && value < 1)).toBe(true);
    }
  });

  it("is told apart from the global model, which has nobody's normalisation", async () => {
    const { stdout, stderr } = await evaluate('--model', result.files.final_pt!, '--split', 'validation');
    expect(stdout).toMatch(
      /^T1 to T2, validation slices: mean ± deviation over the slices of a site\nsite +slices +SSIM/,
    );
    expect(stdout).toMatch(/\nsite-1 +\d+ +-?\d\.\d{4} ± \d\.\d{4}.*\nsite-2 .*\nmean /);
    expect(stderr).toContain('warning: a run chooses its best model on the validation slices');
  });

  it('says what is missing to score a file that lies in no run', async () => {
    const { status, stderr } = await evaluate('--model', join(workspace, 'none.pt'));
    expect(status).toBe(2);
    expect(stderr).toContain('--dataset_base_dir is missing');
  });
});
