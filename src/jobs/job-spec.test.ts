import { describe, expect, it } from 'vitest';
import { Brats18Recipe } from '../recipes/brats18-recipe';
import { explain } from './job-problems';
import { jobHash, jobSpec, parseJob } from './job-spec';
import { jobFromYaml, jobToYaml } from './job-yaml';

const job = new Brats18Recipe({ nClients: 2, privacy: {} }).job;

/** A value somewhere in plain data replaced, or removed where `by` is undefined. */
function replaced(value: unknown, path: readonly string[], by: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return by;
  const copy = structuredClone(value) as Record<string, unknown>;
  copy[key] = replaced(copy[key], rest, by);
  return copy;
}

function pathsOf(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null) return [[]];
  return [[], ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner).map((path) => [key, ...path]))];
}

const problemsOf = (input: unknown) =>
  explain(jobSpec, input).map(({ path, message }) => `${path.join('.')}: ${message}`);

describe('a job with several mistakes', () => {
  const svt = job.filters[0]!;

  it('is told all of them at once: of its parts, and of what the sound ones have to say about each other', () => {
    const wrong = {
      ...job,
      seed: -1,
      sites: ['site-1', 'site-1'],
      workflow: { ...job.workflow, minSites: 3 },
      trainer: { ...job.trainer, roi: [33, 32, 32] },
      siteConfig: { b: 1 },
      filters: [
        { ...svt, at: 'server-in', filter: { ...svt.filter, epsilon: -1 } },
        { ...svt, tasks: ['tran'], filter: { ...svt.filter, gama: 1 } },
        { ...svt, at: 'site-ou', sites: ['c'] },
      ],
    };
    expect(problemsOf(wrong).map((problem) => problem.split(/(?<=:) /)[0])).toEqual([
      ...['seed:', 'filters.0.filter.epsilon:', 'filters.1.filter.gama:', 'filters.2.at:'],
      ...['sites:', 'workflow.minSites:', 'siteConfig.b:', 'trainer.roi:'],
      ...['filters.0.at:', 'filters.1.tasks:', 'filters.2.sites:'],
    ]);
  });

  it('is told nothing that follows from a part whose own mistakes are told', () => {
    const typo = { ...job, workflow: { ...job.workflow, kind: 'fed-ag' }, filters: [{ ...svt, tasks: ['tran'] }] };
    expect(problemsOf(typo)).toEqual([expect.stringMatching(/^workflow\.kind: unknown kind 'fed-ag'/)]);
    expect(problemsOf('rubbish')).toHaveLength(1);
  });

  it('never breaks the checks, whatever stands anywhere', () => {
    const withConfig = { ...job, siteConfig: { 'site-1': { a: [1] } } };
    const junk = [null, 0, -1, 1.5, '', 'x', true, [], {}, [null], [[]], { kind: 'x' }, { kind: null }, undefined];
    for (const path of pathsOf(withConfig)) {
      for (const by of junk) expect(() => problemsOf(replaced(withConfig, path, by))).not.toThrow();
    }
  });
});

describe('a job', () => {
  it('survives structuredClone and a YAML round trip', () => {
    expect(structuredClone(job)).toEqual(job);
    expect(jobFromYaml(jobToYaml(job))).toEqual(job);
  });

  it('has one hash whatever the order of its keys, and another for other settings', () => {
    const reversed = parseJob(Object.fromEntries(Object.entries(job).reverse()));
    expect(jobHash(reversed)).toBe(jobHash(job));
    expect(jobHash({ ...job, seed: 1 })).not.toBe(jobHash(job));
  });

  it('exports to the same bytes twice', () => {
    expect(jobToYaml(new Brats18Recipe({ nClients: 2, privacy: {} }).job)).toBe(jobToYaml(job));
  });

  it('with a filter that does not take what the trainer sends is refused, with the way out', () => {
    const filters = [{ at: 'site-out', filter: { kind: 'exclude-vars', names: ['head.*'] } }];
    expect(() => parseJob({ ...job, filters })).not.toThrow();
    expect(() => parseJob({ ...job, filters, trainer: { ...job.trainer, transfer: 'weights' } })).toThrow(
      "'exclude-vars' accepts weight-diff, metrics, but this job sends weights there; set trainer.transfer to 'weight-diff'",
    );
  });

  it.each([
    ['an unknown key', { ...job, extra: 1 }, 'extra'],
    ['an unknown version', { ...job, version: 2 }, 'version'],
    ['no site', { ...job, sites: [] }, 'sites'],
    ['two sites of one name', { ...job, sites: ['a', 'a'] }, 'the same name'],
    ['more required sites than sites', { ...job, workflow: { ...job.workflow, minSites: 3 } }, 'workflow.minSites'],
    [
      'a grace longer than the deadline',
      { ...job, workflow: { ...job.workflow, graceSeconds: 11, roundDeadlineSeconds: 10 } },
      'workflow.graceSeconds',
    ],
    ['zero rounds', { ...job, workflow: { ...job.workflow, rounds: 0 } }, 'workflow.rounds'],
    ['an unknown workflow', { ...job, workflow: { kind: 'gossip' } }, 'workflow'],
    ['a site name with a path in it', { ...job, sites: ['../x'] }, 'sites.0'],
    ['a NaN learning rate', { ...job, trainer: { ...job.trainer, learningRate: Number.NaN } }, 'trainer.learningRate'],
    ['a seed that is no whole number', { ...job, seed: 1.5 }, 'seed'],
    ['a job name that is a path', { ...job, name: 'a/b' }, 'name'],
    ['sites that its synthetic data have no list for', { ...job, sites: ['site-1', 'b'] }, 'data.sites: the synthetic'],
    ['more sites than its synthetic data', { ...job, sites: ['site-1', 'site-3'] }, "but none for 'site-3'"],
    ['an unknown provider', { ...job, engine: { provider: 'tpu' } }, 'engine.provider'],
  ])('with %s is refused, naming the field', (_, input, field) => {
    expect(() => parseJob(input)).toThrow(field);
  });
});
