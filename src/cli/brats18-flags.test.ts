import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readBrats18Flags } from './brats18-flags';
import { exitCodeOf } from './exit';

// Commander prints its own errors.
beforeAll(() => {
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterAll(() => {
  vi.restoreAllMocks();
});

function refusal(flags: readonly string[]): { message: string; code: number } {
  try {
    readBrats18Flags(flags);
  } catch (error) {
    return { message: (error as Error).message, code: exitCodeOf(error) };
  }
  throw new Error(`${flags.join(' ')} was accepted`);
}

describe('the flags of the BraTS18 job', () => {
  it("have the original's defaults on real data", () => {
    const { recipe } = readBrats18Flags(['--dataset_base_dir', 'd', '--datalist_json_path', 'l', '--enable_dp']);
    const { name, workflow, trainer, filters } = recipe.job;
    expect(name).toBe('brats18_4_dp');
    expect(workflow).toMatchObject({ rounds: 600 });
    expect(trainer).toMatchObject({
      learningRate: 1e-4,
      epochs: 1,
      roi: [224, 224, 144],
      inferRoi: [240, 240, 160],
    });
    expect(filters[0]?.filter).toMatchObject({ kind: 'svt', fraction: 0.9, epsilon: 0.001, noiseVar: 1, gamma: 1e-4 });
  });

  it('reach the job', () => {
    const flags =
      '--n_clients 2 --num_rounds 7 --aggregation_epochs 2 --learning_rate 5e-5 --fedproxloss_mu 0.1 --cache_dataset 0.5 --roi_size 64 64 48 --infer_roi_size 96 96 64 --threads 3 --gpu 1 --job_name mine --enable_dp --dp_epsilon 0.01 --dp_fraction 0.8 --dp_noise_var 0.5 --dp_gamma 1e-3 --dp_mechanism svt-nvflare --seed 9 --workspace w --resume --json';
    const { recipe, ...rest } = readBrats18Flags(flags.split(' '));
    expect(rest).toEqual({ workspace: 'w', threads: 3, resume: true, exportTo: undefined, json: true });
    expect(recipe.job).toMatchObject({
      name: 'mine',
      seed: 9,
      sites: ['site-1', 'site-2'],
      workflow: { rounds: 7 },
      engine: { provider: 'cuda:1' },
      trainer: { epochs: 2, learningRate: 5e-5, proximalMu: 0.1, roi: [64, 64, 48], inferRoi: [96, 96, 64] },
      data: { cacheRate: 0.5 },
      filters: [{ filter: { kind: 'svt-nvflare', fraction: 0.8, epsilon: 0.01, noiseVar: 0.5, gamma: 1e-3 } }],
    });
  });

  it.each([
    ['--n_clients 0', 'n_clients'],
    ['--n_clients 1.5', 'n_clients'],
    ['--num_rounds 0', 'num_rounds'],
    ['--threads 0', 'threads'],
    ['--enable_dp --dp_fraction 0', 'dp_fraction'],
    ['--dp_fraction 1.1', 'dp_fraction'],
    ['--dp_epsilon 0', 'dp_epsilon'],
    ['--dp_noise_var -1', 'dp_noise_var'],
    ['--dp_gamma 0', 'dp_gamma'],
    ['--dp_mechanism magic', 'dp_mechanism'],
    ['--learning_rate fast', 'learning_rate'],
    ['--learning_rate NaN', 'learning_rate'],
    ['--cache_dataset 1.5', 'cache_dataset'],
    ['--seed -1', 'seed'],
    ['--rounds 3', '--rounds'],
    ['--roi_size 32 32', '--roi_size'],
    ['--roi_size 32 32 32 32', '--roi_size'],
    ['--roi_size 0 32 32', 'roi_size'],
    ['--dataset_base_dir x', '--datalist_json_path is missing'],
    ['--datalist_json_path x', '--dataset_base_dir is missing'],
    ['--gpu tpu', '--gpu'],
    ['--gpu 0,1', '--gpu'],
    ['--job_name ../escape', 'name'],
    ['stray', 'argument'],
  ])('refuse %s with exit code 2, naming the flag', (flags, named) => {
    const { message, code } = refusal(flags.split(' '));
    expect(message).toContain(named);
    expect(code).toBe(2);
  });
});
