import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exportJob } from './export-job';
import { readJobFile } from './job-file';
import { jobHash, parseJob } from './job-spec';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'consilium-export-'));
});
afterEach(() => rm(folder, { recursive: true }));

const job = (script: string) =>
  parseJob({
    version: 1,
    name: 'own',
    sites: ['a'],
    workflow: { kind: 'fed-avg', rounds: 1, minSites: 1 },
    model: { kind: 'tensors', tensors: { w: [1] } },
    trainer: { kind: 'script', script },
  });

describe('exporting a job', () => {
  it('takes its own files along, and the copy is the same job', async () => {
    await writeFile(join(folder, 'client.js'), '// trains');
    const exported = await exportJob(job('./client.js'), join(folder, 'out'), { from: folder });
    expect(await readFile(join(folder, 'out', 'client.js'), 'utf8')).toBe('// trains');
    expect(exported.own).toEqual([join(folder, 'out', 'client.js')]);
    expect(jobHash(await readJobFile(exported.job))).toBe(jobHash(job('./client.js')));
  });

  it('gives the same bytes every time', async () => {
    await writeFile(join(folder, 'client.js'), '');
    const first = await exportJob(job('./client.js'), join(folder, 'first'), { from: folder });
    const second = await exportJob(job('./client.js'), join(folder, 'second'), { from: folder });
    expect(await readFile(first.job)).toEqual(await readFile(second.job));
    expect(await readFile(first.schema)).toEqual(await readFile(second.schema));
  });

  it.each([
    ['a folder that is not empty', './client.js', '.', /is not empty/],
    ['a file that is missing', './none.js', 'out', /cannot be copied \(ENOENT\)/],
    ["a file outside of the job's folder", '../client.js', 'out', /lies outside of the job's folder/],
  ])('refuses %s', async (_, script, target, message) => {
    await writeFile(join(folder, 'client.js'), '');
    await expect(exportJob(job(script), join(folder, target), { from: folder })).rejects.toMatchObject({
      tag: 'ConfigError',
      message: expect.stringMatching(message),
    });
  });
});
