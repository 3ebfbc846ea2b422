import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { z } from 'zod';
import { arbitraryOf } from '../../test/support/arbitrary-of';
import type { aggregatorSpec } from './aggregator-spec';
import { type JobInput, type JobSpec, jobHash, jobSpec } from './job-spec';
import { jobFromYaml, jobToYaml } from './job-yaml';
import { jobModel } from './model-spec';

/** Jobs of every built-in kind, with any options that the schema takes; what does not fit together is left out. */
const jobs: fc.Arbitrary<JobSpec> = arbitraryOf(jobSpec as z.ZodType)
  .map((input) => jobSpec.safeParse(fitting(input as JobInput)))
  .filter((parsed) => parsed.success)
  .map((parsed) => parsed.data as JobSpec);

/** What depends on other fields or on files, made to fit; most draws would be refused for it. */
function fitting(input: JobInput): unknown {
  const sites = withEnough([...new Set(input.sites)], input.workflow);
  const settings = Object.values(input.siteConfig ?? {});
  const { initialCheckpoint: _, ...rest } = input;
  const { kind } = input.workflow;
  const trained = input.trainer.kind === 'segmentation';
  if (input.workflow.kind === 'fed-stats' || input.trainer.kind === 'statistics')
    return { ...rest, ...fittingStatistics(input), sites };
  const trainsNothing = kind === 'fed-eval' || (kind === 'cross-site-eval' && input.workflow.rounds === 0);
  const filters = kind === 'fed-eval' || kind === 'scaffold' ? [] : (input.filters ?? []);
  return {
    ...rest,
    sites,
    siteConfig: Object.fromEntries(settings.slice(0, sites.length).map((value, i) => [sites[i], value])),
    workflow: fittingWorkflow(input.workflow, trained),
    model: fittingModel(input.model ?? { kind: 'segresnet' }, trained),
    ...(trainsNothing && { initialCheckpoint: 'start.pt' }),
    trainer: fittingTrainer(input.trainer, kind),
    data: trained === hasNoCases(input.data) ? fallbackData(trained) : input.data,
    filters: filters.map((placement) => fittingFilter(placement, sites)),
    modules: [],
    trackers: [],
  };
}

/** What statistics go with. */
function fittingStatistics({ workflow, trainer, data }: JobInput): object {
  const levels = { minNoiseLevel: 0.1, maxNoiseLevel: 0.3 };
  return {
    workflow:
      workflow.kind === 'fed-stats' ? { ...workflow, minSites: 1, ranges: {} } : { kind: 'fed-stats', minSites: 1 },
    trainer: trainer.kind === 'statistics' ? { ...trainer, ...levels } : { kind: 'statistics' },
    data: data === undefined || data.kind === 'none' ? { kind: 'csv', path: '{site}.csv', columns: ['age'] } : data,
    model: undefined,
    siteConfig: {},
    filters: [],
    modules: [],
    trackers: [],
  };
}

function fittingWorkflow(workflow: JobInput['workflow'], trained: boolean): unknown {
  const { sitesPerRound: _, ...rest } = workflow as Record<string, unknown>;
  const aggregator = rest.aggregator && fittingAggregator(rest.aggregator as Aggregator);
  const earlyStop = 'earlyStop' in rest && { earlyStop: { patience: 2 } };
  const fits = { ...rest, minSites: 1, ...earlyStop, ...(aggregator ? { aggregator } : {}) };
  if (workflow.kind !== 'scaffold') return fits;
  const { learningRate: __, ...others } = fits as Record<string, unknown>;
  return trained ? others : { ...others, learningRate: 0.1 };
}

type Aggregator = z.input<typeof aggregatorSpec>;

/** Settings that seven sites are enough for, and shares that add up. */
function fittingAggregator(aggregator: Aggregator): object {
  const few = { ...('faulty' in aggregator && { faulty: 1 }), ...('selected' in aggregator && { selected: 3 }) };
  if (aggregator.kind === 'trimmed-mean') return { ...aggregator, share: 0.3 };
  if (aggregator.kind === 'pid-weighted') return { ...aggregator, alpha: 0.25, beta: 0.5, gamma: 0.25 };
  return { ...aggregator, ...few };
}

/** Seven sites where an aggregator needs some. */
function withEnough(sites: readonly string[], workflow: JobInput['workflow']): string[] {
  const missing = 'aggregator' in workflow ? Math.max(0, 7 - sites.length) : 0;
  return [...new Set([...sites, ...Array.from({ length: missing }, (_, i) => `more-${i}`)])];
}

function fittingTrainer(trainer: JobInput['trainer'], workflow: string): unknown {
  const scaffold = workflow === 'scaffold' && { transfer: 'weight-diff' };
  if (trainer.kind !== 'segmentation') return { ...trainer, ...scaffold };
  const sizes = { roi: [64, 64, 128], inferRoi: [128, 64, 64] };
  if (scaffold) return { ...trainer, ...sizes, ...scaffold, optimiser: { kind: 'sgd' } };
  return { ...trainer, ...sizes, ...(workflow === 'fed-avg' && { proximalMu: 0 }) };
}

function fittingModel(model: NonNullable<JobInput['model']>, trained: boolean): unknown {
  if (!jobModel.safeParse(model).success) return { kind: trained ? 'segresnet' : model.kind };
  const volumes = model.kind === 'segresnet' || model.kind === 'dynunet' || model.kind === 'basic-unet';
  return trained && !volumes ? { kind: 'segresnet' } : model;
}

/** Tables are for statistics. */
function hasNoCases(data: JobInput['data']): boolean {
  return data === undefined || data.kind === 'none' || data.kind === 'csv';
}

function fallbackData(trained: boolean): JobInput['data'] {
  return trained ? { kind: 'brats18', baseDir: '/a', datalistDir: '/b' } : { kind: 'none' };
}

type Placement = NonNullable<JobInput['filters']>[number];

function fittingFilter(placement: Placement, sites: readonly string[]): unknown {
  const filter = Object.entries(placement.filter).map(([key, value]) => [
    key,
    typeof value === 'number' ? 0.1 + (value % 0.5) ** 2 : value,
  ]);
  return { ...placement, at: 'site-out', tasks: ['train'], sites, filter: Object.fromEntries(filter) };
}

it('any job survives YAML: nothing is lost, the bytes and the hash are the same', () => {
  const kinds = new Set<string>();
  fc.assert(
    fc.property(jobs, (job) => {
      for (const { kind } of [job.workflow, job.model, job.trainer, job.data]) kinds.add(kind);
      const text = jobToYaml(job);
      const read = jobFromYaml(text, 'job.yaml', { environment: {} });
      expect(read).toEqual(job);
      expect(jobToYaml(read)).toBe(text);
      expect(jobHash(read)).toBe(jobHash(job));
      expect(jobFromYaml(Buffer.from(text), 'job.yaml', { environment: {} })).toEqual(job);
    }),
    { numRuns: 120, seed: 4, endOnFailure: true },
  );
  expect([...kinds].sort()).toEqual(
    expect.arrayContaining([
      'brats18',
      'brats18-phantom',
      'command',
      'cross-site-eval',
      'csv',
      'cyclic',
      'fed-avg',
      'fed-eval',
      'fed-stats',
      'scaffold',
      'script',
      'segmentation',
      'segresnet',
      'statistics',
      'tensors',
    ]),
  );
});
