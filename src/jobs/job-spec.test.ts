import { describe, expect, it } from 'vitest';
import { Brats18Recipe } from '../recipes/brats18-recipe';
import { jobHash, parseJob } from './job-spec';
import { jobFromYaml, jobToYaml } from './job-yaml';

const job = new Brats18Recipe({ nClients: 2, privacy: {} }).job;

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
    ['zero rounds', { ...job, workflow: { ...job.workflow, rounds: 0 } }, 'workflow.rounds'],
    ['an unknown workflow', { ...job, workflow: { kind: 'gossip' } }, 'workflow'],
    ['a site name with a path in it', { ...job, sites: ['../x'] }, 'sites.0'],
    ['a NaN learning rate', { ...job, trainer: { ...job.trainer, learningRate: Number.NaN } }, 'trainer.learningRate'],
    ['a seed that is no whole number', { ...job, seed: 1.5 }, 'seed'],
    ['a job name that is a path', { ...job, name: 'a/b' }, 'name'],
    ['an unknown provider', { ...job, engine: { provider: 'tpu' } }, 'engine.provider'],
  ])('with %s is refused, naming the field', (_, input, field) => {
    expect(() => parseJob(input)).toThrow(field);
  });
});
