import { describe, expect, it } from 'vitest';
import { towardsTarget } from '../../examples/hello-fedavg/towards-target';
import { jobHash, parseJob } from '../jobs/job-spec';
import { jobFromYaml, jobToYaml } from '../jobs/job-yaml';
import { Brats18Recipe } from './brats18-recipe';
import { CrossSiteEvalRecipe } from './cross-site-eval-recipe';
import { CyclicRecipe } from './cyclic-recipe';
import { FedAvgRecipe, type FedAvgRecipeOptions } from './fed-avg-recipe';
import { FedEvalRecipe } from './fed-eval-recipe';
import { FedOptRecipe } from './fed-opt-recipe';
import { FedProxRecipe } from './fed-prox-recipe';
import type { Recipe } from './recipe';
import { ScaffoldRecipe } from './scaffold-recipe';

const common: FedAvgRecipeOptions = {
  name: 'job',
  sites: 3,
  rounds: 2,
  model: { kind: 'tensors', tensors: { w: [2] } },
  trainer: towardsTarget({ rate: 0.5 }),
  siteConfig: { 'site-1': 1, 'site-2': 2, 'site-3': 3 },
  keyMetric: 'distance',
  keyMetricMode: 'min',
};
const size: [number, number, number] = [16, 16, 16];
const segmentation = { kind: 'segmentation', roi: size, inferRoi: size } as const;
const volumes = {
  ...{ name: 'job', sites: 3, rounds: 2 },
  model: { kind: 'segresnet' },
  data: { kind: 'brats18-phantom' },
} as const;

/** What an evaluation takes: it has no rounds. */
const { rounds: _, ...evaluated } = common;
const { rounds: __, ...evaluatedVolumes } = volumes;

/** Every recipe, with the options that are its own. */
const recipes: readonly [string, () => Recipe][] = [
  ['Brats18Recipe', () => new Brats18Recipe({ privacy: {} })],
  ['FedAvgRecipe', () => new FedAvgRecipe({ ...common, sitesPerRound: 2, earlyStop: { patience: 3, minDelta: 0.1 } })],
  ['FedProxRecipe', () => new FedProxRecipe({ ...common, proximalMu: 0.3 })],
  ['FedOptRecipe', () => new FedOptRecipe({ ...common, serverOptimiser: { kind: 'yogi', tau: 1e-4 } })],
  ['ScaffoldRecipe', () => new ScaffoldRecipe({ ...common, learningRate: 0.1 })],
  [
    'ScaffoldRecipe',
    () => new ScaffoldRecipe({ ...volumes, trainer: { ...segmentation, optimiser: { kind: 'sgd' } } }),
  ],
  ['CyclicRecipe', () => new CyclicRecipe({ ...common, order: 'random-no-repeat' })],
  ['FedEvalRecipe', () => new FedEvalRecipe({ ...evaluated, model: { kind: 'checkpoint', file: 'model.pt' } })],
  [
    'FedEvalRecipe',
    () => new FedEvalRecipe({ ...evaluatedVolumes, trainer: segmentation, initialCheckpoint: 'model.safetensors' }),
  ],
  ['CrossSiteEvalRecipe', () => new CrossSiteEvalRecipe({ ...common, checkpoints: { theirs: 'theirs.pt' } })],
];

describe.each(recipes)('%s', (_, make) => {
  it('compiles to a job that YAML keeps, byte for byte and with the same hash', () => {
    const { job } = make();
    const text = jobToYaml(job);
    const read = jobFromYaml(text, 'job.yaml', { environment: {}, folder: process.cwd(), needsFiles: false });
    expect(read).toEqual(job);
    expect(jobToYaml(read)).toBe(text);
    expect(jobHash(read)).toBe(jobHash(job));
    expect(jobToYaml(make().job)).toBe(text);
    expect(structuredClone(job)).toEqual(parseJob(job));
  });
});

it.each<[string, () => unknown, RegExp]>([
  [
    'more sites a round than there are',
    () => new FedAvgRecipe({ ...common, sitesPerRound: 4, minSites: 1 }),
    /sitesPerRound: it is 4, but the job has 3 sites/,
  ],
  [
    'fewer sites a round than it needs',
    () => new FedAvgRecipe({ ...common, sitesPerRound: 2, minSites: 3 }),
    /sitesPerRound: it is 2, but a round needs 3/,
  ],
  ['early stopping by nothing', () => new FedAvgRecipe({ ...common, earlyStop: {} }), /needs patience or target/],
  [
    'two proximal terms',
    () => new FedProxRecipe({ ...volumes, trainer: { ...segmentation, proximalMu: 1 } }),
    /workflow.proximalMu: trainer.proximalMu is set too/,
  ],
  [
    'SCAFFOLD that knows no learning rate',
    () => new ScaffoldRecipe(common),
    /workflow.learningRate: SCAFFOLD needs to know the learning rate/,
  ],
  [
    'SCAFFOLD with two learning rates',
    () => new ScaffoldRecipe({ ...volumes, trainer: { ...segmentation, optimiser: { kind: 'sgd' } }, learningRate: 1 }),
    /workflow.learningRate: the segmentation trainer has its own/,
  ],
  [
    'SCAFFOLD with Adam at the sites',
    () => new ScaffoldRecipe({ ...volumes, trainer: segmentation }),
    /trainer.optimiser: control variates follow from plain gradient steps/,
  ],
  [
    'a filter that knows no control variates',
    () =>
      new ScaffoldRecipe({ ...common, learningRate: 1 }).addFilter(
        { at: 'site-out' },
        { kind: 'svt', fraction: 0.9, epsilon: 1, noiseVar: 1, gamma: 1e-3 },
      ),
    /'svt' accepts weight-diff, metrics, but this job sends weight-control-diff there/,
  ],
  [
    'a filter for differences on submitted models',
    () =>
      new CrossSiteEvalRecipe(common).addFilter(
        { at: 'site-out' },
        { kind: 'svt', fraction: 0.9, epsilon: 1, noiseVar: 1, gamma: 1e-3 },
      ),
    /but this job sends weights there/,
  ],
  ['an evaluation of no model', () => new FedEvalRecipe(evaluated), /initialCheckpoint: nothing is trained/],
  [
    'a checkpoint with the name of a site',
    () => new CrossSiteEvalRecipe({ ...common, checkpoints: { 'site-1': 'a.pt' } }),
    /checkpoints.site-1: a site has this name/,
  ],
  [
    'a loss that does not fit regions',
    () => new FedAvgRecipe({ ...volumes, trainer: { ...segmentation, loss: { kind: 'dice', softmax: true } } }),
    /trainer.loss.sigmoid: regions overlap/,
  ],
])('refuses %s', (_, make, message) => {
  expect(make).toThrow(message);
});
