import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FedAvgRecipe, jobHash, jobToYaml, SimEnv } from '../../src';
import { mark, teller } from '../support/parts/marks';
import { brightVoxels, oneConvolution } from '../support/parts/own-network';
import { tsNode } from '../support/ts-node';

const workspace = mkdtempSync(join(tmpdir(), 'consilium-parts-'));
afterAll(() => rmSync(workspace, { recursive: true }));

const parts = resolve('test/support/parts');

/** What a process that knows nothing but the file makes of it. */
async function runFile(file: string) {
  const out = await tsNode(resolve('test/support/run-job-files.ts'), [workspace, file], workspace);
  return JSON.parse(out)[file] as { readonly hash?: string; readonly model?: string; readonly error?: string };
}

describe("a network and a data set of the user's own", () => {
  it('train with the segmentation trainer, from code and from a job file, to the same bytes', async () => {
    const recipe = new FedAvgRecipe({
      name: 'own-network',
      sites: 2,
      rounds: 3,
      model: oneConvolution(),
      trainer: { kind: 'segmentation', roi: [8, 8, 8], inferRoi: [8, 8, 8], learningRate: 0.01 },
      data: brightVoxels({ cases: 8 }),
      siteConfig: { 'site-1': { threshold: 0.5 }, 'site-2': { threshold: 0.6 } },
      folder: workspace,
    });
    const { history, finalModelSha256, files } = await recipe
      .execute(new SimEnv({ workspace: join(workspace, 'code'), threads: 2 }))
      .result();
    const dice = history.map(({ metrics }) => metrics.val_dice!);
    expect(dice.at(-1)).toBeGreaterThan(dice[0]!);
    expect(files).toHaveProperty('best_onnx');

    const file = join(workspace, 'own-network.yaml');
    writeFileSync(file, jobToYaml(recipe.job));
    expect(await runFile(file)).toEqual({ hash: jobHash(recipe.job), model: finalModelSha256 });
  });
});

describe('a job with parts that do not fit', () => {
  const options = {
    name: 'wrong',
    sites: 2,
    rounds: 1,
    model: { kind: 'tensors' as const, tensors: { w: [2] } },
    trainer: teller({}),
  };

  it('such as a filter that does not accept what passes there, is refused before anything runs', async () => {
    const recipe = new FedAvgRecipe({ ...options, folder: parts });
    const before = recipe.job;
    const add = () => recipe.addFilter({ at: 'site-out', tasks: ['predict'] }, mark({}));
    expect(add).toThrow("filters.0.tasks: the workflow has no task 'predict'. Its tasks are train, validate");
    expect(() => recipe.addFilter({ at: 'site-out', sites: ['site-9'] }, mark({}))).toThrow("no site 'site-9'");
    expect(() => recipe.addFilter({ at: 'site-out' }, mark({ add: 'x' as never }))).toThrow('filters.0.filter.add');
    expect(recipe.job).toBe(before);
  });

  it('such as settings that a trainer’s own schema refuses, names the site and the field', () => {
    const data = brightVoxels({ cases: 1 });
    const wrong = { ...options, data, siteConfig: { 'site-1': { threshold: 'high' } } };
    expect(() => new FedAvgRecipe(wrong)).toThrow("siteConfig.site-1.threshold: found 'high'. Allowed: a number");
    expect(() => new FedAvgRecipe(wrong)).toThrow('siteConfig.site-2');
  });
});

describe('a module', () => {
  it('that starts a run when a site loads it ends the run with a clear error, not with a run in a run', async () => {
    const file = join(parts, 'starts-a-run.ts');
    const { job } = new FedAvgRecipe({
      name: 'outer',
      sites: 1,
      rounds: 1,
      model: { kind: 'tensors', tensors: { w: [2] } },
      trainer: teller({}),
      folder: parts,
    });
    const yaml = join(workspace, 'outer.yaml');
    writeFileSync(yaml, jobToYaml({ ...job, modules: [join(parts, 'marks.ts'), file] }));
    const { error } = await runFile(yaml);
    expect(error).toContain(`'${file}' starts a run when it is loaded as a module of a job`);
  });
});

describe('a kept job', () => {
  it('names the modules of its parts from its folder on, so that the folder can be moved', () => {
    const { job } = new FedAvgRecipe({
      name: 'a',
      sites: 1,
      rounds: 1,
      model: oneConvolution(),
      trainer: teller({}),
      folder: parts,
    });
    expect(job.modules).toEqual(['./own-network.ts', './marks.ts']);
    const { modules } = new FedAvgRecipe({
      name: 'a',
      sites: 1,
      rounds: 1,
      model: oneConvolution(),
      trainer: teller({}),
      folder: join(parts, 'x'),
    }).job;
    expect(modules).toEqual(['../own-network.ts', '../marks.ts']);
  });
});
