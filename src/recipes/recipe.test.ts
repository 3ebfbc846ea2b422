import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { jobHash } from '../jobs/job-spec';
import { jobFromYaml, jobToYaml } from '../jobs/job-yaml';
import { defineFilter, defineTracker, defineWorkflow } from '../runtime/define-part';
import { FedAvgRecipe, type FedAvgRecipeOptions } from './fed-avg-recipe';
import { WorkflowRecipe } from './workflow-recipe';

const options: FedAvgRecipeOptions = {
  name: 'plain',
  sites: ['a', 'b'],
  rounds: 1,
  model: { kind: 'tensors', tensors: { w: [1] } },
  trainScript: './client.ts',
};
const svt = { kind: 'svt', fraction: 0.9, epsilon: 0.1, noiseVar: 1, gamma: 1 } as const;

const part = { module: __filename, options: z.strictObject({ n: z.number().default(1) }) };
const nothing = defineFilter({
  ...part,
  kind: 'test/nothing',
  create: () => ({ name: 'nothing', accepts: [], apply: (payload) => payload }),
});
const silent = defineTracker({ ...part, kind: 'test/silent', create: () => ({ event() {} }) });
const idle = defineWorkflow({ ...part, kind: 'test/idle', tasks: ['predict'], async *create() {} });

describe('a recipe', () => {
  it('adds filters in order, behind those it was made with, and the job stays checked', () => {
    const recipe = new FedAvgRecipe({ ...options, filters: [{ at: 'site-out', filter: nothing() }] });
    recipe
      .addFilter({ at: 'site-out', tasks: ['train'] }, svt)
      .addFilter({ at: 'server-in', sites: ['b'] }, nothing({ n: 2 }));
    expect(recipe.job.filters).toEqual([
      { at: 'site-out', filter: { kind: 'test/nothing', n: 1 } },
      { at: 'site-out', tasks: ['train'], filter: { ...svt, tau: 1e-6 } },
      { at: 'server-in', sites: ['b'], filter: { kind: 'test/nothing', n: 2 } },
    ]);
  });

  it('lists the file of each of its own parts once, as the job’s folder sees it', () => {
    const recipe = new FedAvgRecipe({ ...options, folder: __dirname })
      .addTracker(silent())
      .addFilter({ at: 'site-in' }, nothing());
    expect(recipe.job.modules).toEqual(['./recipe.test.ts']);
    expect(recipe.job.trackers).toEqual([{ kind: 'test/silent', n: 1 }]);
  });

  it('around a workflow of the user’s own is a job like any other', () => {
    const { rounds: _, ...others } = options;
    const { job } = new WorkflowRecipe({ ...others, workflow: idle({ n: 5 }), folder: __dirname });
    expect(job.workflow).toEqual({ kind: 'test/idle', n: 5 });
    const again = jobFromYaml(jobToYaml({ ...job, modules: [] }));
    expect(jobHash({ ...again, modules: job.modules })).toBe(jobHash(job));
    const wrong = () =>
      new WorkflowRecipe({
        ...others,
        workflow: idle(),
        filters: [{ at: 'site-in', tasks: ['train'], filter: nothing() }],
      });
    expect(wrong).toThrow("filters.0.tasks: the workflow has no task 'train'. Its tasks are predict");
  });

  it.each<[string, Partial<FedAvgRecipeOptions>, string]>([
    ['two sites of one name', { sites: ['a', 'b', 'a'] }, "two sites have the same name, 'a'"],
    [
      'more required sites than sites',
      { minSites: 3 },
      'workflow.minSites: 3 sites are required, but the job has only 2',
    ],
    [
      'a filter for a site that there is not',
      { filters: [{ at: 'site-in', sites: ['c'], filter: nothing() }] },
      "the job has no site 'c'; its sites are a, b",
    ],
    ['a privacy filter at the server', { filters: [{ at: 'server-in', filter: svt }] }, 'it stands at site-out'],
    [
      'full weights into a filter for differences',
      { transfer: 'weights', filters: [{ at: 'site-out', filter: svt }] },
      "this job sends weights there; set trainer.transfer to 'weight-diff'",
    ],
    ['settings of a site that there is not', { siteConfig: { c: 1 } }, "siteConfig.c: the job has no site 'c'"],
    [
      'no training code',
      { trainScript: undefined as never },
      'needs one of trainer, trainScript and trainCommand, but got none',
    ],
    ['two kinds of training code', { trainCommand: ['python3'] }, 'but got trainScript and trainCommand'],
    ['no model', { model: { kind: 'tensors', tensors: {} } }, 'the job has no model'],
    [
      'data that the training code would not see',
      { data: { kind: 'brats18', baseDir: 'x', datalistDir: 'y' } },
      "give folders by 'siteConfig'",
    ],
  ])('with %s is refused', (_, wrong, message) => {
    expect(() => new FedAvgRecipe({ ...options, ...wrong })).toThrow(message);
  });
});
