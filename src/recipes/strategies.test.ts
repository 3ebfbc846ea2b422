import { describe, expect, it } from 'vitest';
import { jobHash, parseJob } from '../jobs/job-spec';
import { jobFromYaml, jobToYaml } from '../jobs/job-yaml';
import { Brats18Recipe } from './brats18-recipe';
import { FedAvgRecipe, type FedAvgRecipeOptions } from './fed-avg-recipe';
import { type StrategyName, type StrategyOptions, strategyNames, strategyOf, tenStrategies } from './strategies';

const common: FedAvgRecipeOptions = {
  name: 'job',
  sites: 8,
  rounds: 2,
  model: { kind: 'tensors', tensors: { 'inc.conv': [2], 'down.norm': [2], 'up.conv': [2] } },
  trainScript: './client.ts',
};

const size: [number, number, number] = [16, 16, 16];
const volumes: FedAvgRecipeOptions = {
  ...{ name: 'job', sites: 8, rounds: 2 },
  model: { kind: 'segresnet' },
  trainer: { kind: 'segmentation', roi: size, inferRoi: size },
  data: { kind: 'brats18-phantom', sites: 8 },
};

/** What a strategy cannot do without. */
const needed: Partial<Record<StrategyName, StrategyOptions>> = {
  scaffold: { learningRate: 0.1 },
  centredclip: { radius: 1 },
  normclip: { maxNorm: 1 },
};

describe.each(strategyNames)('the strategy %s', (strategy) => {
  it.each([false, true])('makes a job that YAML keeps, seedExact %s', (seedExact) => {
    const base = strategy === 'ditto' || strategy === 'fedselect' ? volumes : common;
    const { job } = new FedAvgRecipe({ ...base, strategy, strategyOptions: { ...needed[strategy], seedExact } });
    const read = jobFromYaml(jobToYaml(job), 'job.yaml', { environment: {}, folder: process.cwd(), needsFiles: false });
    expect(jobHash(read)).toBe(jobHash(job));
    expect(structuredClone(job)).toEqual(parseJob(job));
  });
});

it('fills the fields of the workflow that it is made of', () => {
  const adam = { kind: 'adam', tau: 1e-3 };
  expect(strategyOf('fedavg')).toEqual({ kind: 'fed-avg' });
  expect(strategyOf('fedbadam')).toEqual({ kind: 'fed-avg', serverOptimiser: adam, personal: 'normalisation' });
  expect(strategyOf('fedmri')).toEqual({
    kind: 'fed-avg',
    aggregator: { kind: 'mean' },
    personal: { allBut: ['inc', 'down'] },
  });
  expect(strategyOf('fedmix', { encoder: ['enc'] })).toEqual({
    kind: 'fed-avg',
    serverOptimiser: adam,
    personal: { allBut: ['enc'] },
  });
  expect(strategyOf('fedpid', { metric: 'epoch_val_loss', seedExact: true })).toMatchObject({
    aggregator: { kind: 'pid-weighted', alpha: 0.45, beta: 0.45, gamma: 0.1, absolute: true, metric: 'epoch_val_loss' },
  });
  expect(strategyOf('fedbadam', { seedExact: true })).toEqual({
    kind: 'fed-avg',
    serverOptimiser: { ...adam, initialSquare: 0, statistics: 'optimised' },
    personal: { names: ['norm'] },
  });
});

it('has the ten strategies of the study among the others', () => {
  expect(tenStrategies).toHaveLength(10);
  expect(tenStrategies.every((name) => strategyNames.includes(name))).toBe(true);
});

it('is an option of the BraTS18 recipe too', () => {
  const { workflow } = new Brats18Recipe({ strategy: 'fedadam' }).job;
  expect(workflow).toMatchObject({ kind: 'fed-avg', serverOptimiser: { kind: 'adam', learningRate: 0.1, tau: 1e-3 } });
});

it.each<[string, () => unknown, RegExp]>([
  ['a strategy that there is not', () => strategyOf('fedsgd' as never), /There is no strategy 'fedsgd'/],
  ['an option that the strategy does not take', () => strategyOf('fedavg', { mu: 1 }), /'fedavg' takes no option 'mu'/],
  [
    'two ways to keep tensors',
    () => new FedAvgRecipe({ ...common, strategy: 'fedbn', personal: { names: ['norm'] } }),
    /'fedbn' has its own personal/,
  ],
  [
    'Ditto with training code that does not know what its own model is held near',
    () => new FedAvgRecipe({ ...common, strategy: 'ditto' }),
    /workflow.ditto: .* a trainer of kind 'script' is not told/,
  ],
  [
    'a model of its own and personal tensors',
    () => new FedAvgRecipe({ ...common, strategy: 'ditto', personal: { names: ['norm'] } }),
    /workflow.ditto: the model of its own has no need of personal tensors/,
  ],
])('refuses %s', (_, make, message) => {
  expect(make).toThrow(message);
});
