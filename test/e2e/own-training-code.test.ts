import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunResult } from '../../src/jobs/environment';
import { checkJobFile, readJobFile } from '../../src/jobs/job-file';
import { jobHash } from '../../src/jobs/job-spec';
import { FedAvgRecipe, type FedAvgRecipeOptions } from '../../src/recipes/fed-avg-recipe';
import { SimEnv, type SimEnvOptions } from '../../src/runtime/sim-env';

const example = resolve('examples', 'train-script');

/** The job of examples/train-script. */
const fitLine: FedAvgRecipeOptions = {
  name: 'fit-line',
  sites: 2,
  rounds: 5,
  model: { kind: 'tensors', tensors: { line: [2] } },
  trainScript: './client.ts',
  trainArgs: ['20'],
  siteConfig: { 'site-1': { slope: 1, offset: 0 }, 'site-2': { slope: 3, offset: 2 } },
  keyMetric: 'val_loss',
  keyMetricMode: 'min',
  folder: example,
};

let workspace: string;
beforeAll(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'consilium-own-code-'));
});
afterAll(() => rm(workspace, { recursive: true }));

function start(name: string, recipe: FedAvgRecipeOptions, options: SimEnvOptions = {}) {
  return new FedAvgRecipe(recipe).execute(new SimEnv({ workspace: join(workspace, name), ...options }));
}

function run(name: string, recipe = fitLine, options: SimEnvOptions = {}): Promise<RunResult> {
  return start(name, recipe, options).result();
}

describe('a job with a training script', () => {
  it('gives the same bytes with one slot, from YAML, and stopped and resumed: the script keeps its momentum', async () => {
    const straight = await run('straight');
    expect(straight.final.metrics.val_loss).toBeLessThan(straight.history[0]!.metrics.val_loss!);

    expect((await run('one-slot', fitLine, { threads: 1 })).finalModelSha256).toBe(straight.finalModelSha256);

    const job = await readJobFile(join(example, 'fit-line.yaml'), { folder: example });
    expect(jobHash(job)).toBe(jobHash(new FedAvgRecipe(fitLine).job));

    const stopped = start('stopped', fitLine);
    for await (const event of stopped.events()) {
      if (event.kind === 'round-finished' && event.round === 1) stopped.abort();
    }
    await expect(stopped.result()).rejects.toMatchObject({ tag: 'AbortedError' });
    expect((await run('stopped', fitLine, { resume: true })).finalModelSha256).toBe(straight.finalModelSha256);
  });

  it('is refused before anything runs when the script does not exist', async () => {
    await expect(run('missing', { ...fitLine, trainScript: './clent.ts' })).rejects.toMatchObject({
      tag: 'ConfigError',
      message: `trainer.script: the script './clent.ts' does not exist; it was looked for in '${example}'.`,
      hint: expect.stringContaining("'folder'"),
    });
    expect(existsSync(join(workspace, 'missing', 'fit-line', 'server'))).toBe(false);
  });

  it('is refused with the line of the job file when the script does not exist', async () => {
    const file = join(workspace, 'job.yaml');
    writeFileSync(file, readFileSync(join(example, 'fit-line.yaml'), 'utf8'));
    const check = await checkJobFile(file, { folder: workspace });
    expect(check).toMatchObject({ problems: [{ line: 17, column: 11, path: 'trainer.script' }] });
  });

  it('fails by quorum when the script throws: the stack stays at the site, the server learns the kind', async () => {
    const folder = await mkdtemp(join(workspace, 'throwing-'));
    writeFileSync(join(folder, 'client.cjs'), throwsAt('site-2'));
    const recipe = { ...fitLine, name: 'throwing', trainScript: 'client.cjs', folder };
    await expect(run('throwing', recipe)).rejects.toMatchObject({
      tag: 'QuorumError',
      cause: expect.objectContaining({ message: expect.stringContaining('patient 17 has no label') }),
    });
    const root = join(workspace, 'throwing', 'throwing');
    expect(readFileSync(join(root, 'site-2', 'log.txt'), 'utf8')).toMatch(
      /patient 17 has no label\n\s+at .*client\.cjs/,
    );
    const server = readFileSync(join(root, 'server', 'log.txt'), 'utf8');
    expect(server).toContain(
      "its training code failed (SiteFailedError, Error, in its 'train' task); the site's log has",
    );
    expect(server).not.toContain('patient 17');
  });

  it('goes on without the site whose script throws while the quorum holds', async () => {
    const folder = await mkdtemp(join(workspace, 'quorum-'));
    writeFileSync(join(folder, 'client.cjs'), throwsAt('site-2'));
    const { history, rounds } = await run('quorum', { ...fitLine, trainScript: 'client.cjs', folder, minSites: 1 });
    expect(rounds).toBe(5);
    expect(history[4]!.sites.map(({ status }) => status)).toEqual(['ok', 'failed']);
  });
});

/** A script that answers with what it got, but throws at one site. */
function throwsAt(site: string): string {
  return `module.exports = async (site) => {
    for await (const task of site.tasks()) {
      if (site.name === '${site}') throw new Error('patient 17 has no label');
      await task.reply(task.kind === 'train' ? { weights: task.model, steps: 1 } : { metrics: { val_loss: 1 } });
    }
  };`;
}
