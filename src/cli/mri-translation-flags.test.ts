import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { exitCodeOf } from './exit';
import { readMriTranslationFlags } from './mri-translation-flags';

// Commander prints its own errors.
beforeAll(() => {
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterAll(() => {
  vi.restoreAllMocks();
});

const jobsOf = (flags: string) => readMriTranslationFlags(flags.split(' ')).recipes.map(({ job }) => job);

describe('the flags of the MRI translation job', () => {
  it('reach the job', () => {
    const flags =
      '--strategy fedbadam --translation T1:FLAIR --n_clients 3 --n_rounds 5 --n_epochs 1 --batch_size 4 --learning_rate 0.002 --base 16 --normalization GN --loss MSE --slice_scaling percentile --server_learning_rate 0.05 --test_metrics --cache_dataset 0.5 --gpu 1 --job_name mine --seed 9';
    expect(jobsOf(flags)).toMatchObject([
      {
        name: 'mine',
        seed: 9,
        sites: ['site-1', 'site-2', 'site-3'],
        workflow: { rounds: 5, serverOptimiser: { kind: 'adam', learningRate: 0.05 }, personal: 'normalisation' },
        model: { baseChannels: 16, norm: 'group', numGroups: 16 },
        trainer: { epochs: 1, batchSize: 4, learningRate: 0.002, loss: { kind: 'mse' }, testMetrics: true },
        data: { source: 't1', target: 'flair', normalisation: 'percentile', cacheRate: 0.5, seed: 9 },
        engine: { provider: 'cuda:1' },
      },
    ]);
    const { recipes: _, ...rest } = readMriTranslationFlags('--workspace w --threads 3 --resume --json'.split(' '));
    expect(rest).toEqual({ workspace: 'w', threads: 3, resume: true, exportTo: undefined, json: true });
  });

  it('run the ten one after another, each by its own name and with the options that it takes', () => {
    const jobs = jobsOf('--strategy all --proximal_mu 0.5 --server_learning_rate 0.02');
    expect(jobs.map(({ name }) => name)).toEqual(
      ['avg', 'mean', 'prox', 'adam', 'adagrad', 'bn', 'mri', 'costw', 'pid', 'badam'].map((name) => `mri_fed${name}`),
    );
    expect(jobs[2]!.workflow).toMatchObject({ proximalMu: 0.5 });
    expect(jobs[3]!.workflow).toMatchObject({ serverOptimiser: { learningRate: 0.02 } });
    expect(jobsOf('--strategy all --job_name x')[0]!.name).toBe('x_fedavg');
  });

  it('tell the robust strategies what they need', () => {
    const aggregatorOf = (flags: string) => (jobsOf(flags)[0]!.workflow as { aggregator?: unknown }).aggregator;
    expect(aggregatorOf('--strategy centredclip --radius 2.5')).toMatchObject({ radius: 2.5 });
    expect(aggregatorOf('--strategy normclip --max_norm 3')).toEqual({ kind: 'norm-clipping', maxNorm: 3 });
    expect(aggregatorOf('--strategy bulyan --n_clients 11 --faulty 2')).toEqual({ kind: 'bulyan', faulty: 2 });
  });

  it('name the sites of a folder', () => {
    const [job] = jobsOf('--data_dir /data --sites oasis lgg');
    expect(job).toMatchObject({ sites: ['oasis', 'lgg'], data: { kind: 'slices', path: '/data/{site}' } });
    expect(jobsOf('--data_dir /data/{site}/slices --centralized')[0]).toMatchObject({
      sites: ['site-1'],
      data: { path: '/data/{site}/slices', centralized: true },
    });
  });

  it.each([
    ['--strategy fedmagic', 'fedmagic'],
    ['--strategy fedbn --centralized', '--strategy'],
    ['--strategy fedavg --proximal_mu 1', 'mu'],
    ['--strategy all --export d', '--export'],
    ['--strategy all --radius 1', '--radius'],
    ['--strategy krum --n_clients 5 --radius 1', 'radius'],
    ['--strategy centredclip', 'radius'],
    ['--centralized --proximal_mu 1', '--proximal_mu'],
    ['--translation T1', 'T1'],
    ['--n_clients 0', 'n_clients'],
    ['--n_clients 3 --sites a b --data_dir d', '--n_clients'],
    ['--sites a b', '--data_dir'],
    ['--learning_rate 0', 'learning_rate'],
    ['--normalization XN', 'normalization'],
    ['--loss hinge', 'loss'],
    ['--slice_scaling most', 'slice_scaling'],
    ['--gpu tpu', '--gpu'],
    ['--rounds 3', '--rounds'],
    ['stray', 'argument'],
  ])('refuse %s with exit code 2, naming the flag', (flags, named) => {
    let refused: unknown;
    try {
      jobsOf(flags);
    } catch (error) {
      refused = error;
    }
    expect((refused as Error).message).toContain(named);
    expect(exitCodeOf(refused)).toBe(2);
  });
});
