import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readJobFile } from '../jobs/job-file';
import { jobSchemaText } from '../jobs/job-schema';
import { jobHash } from '../jobs/job-spec';
import { jobToYaml } from '../jobs/job-yaml';
import { Brats18Recipe } from '../recipes/brats18-recipe';
import { exitCodeOf, printError } from './exit';
import { jobCommand } from './job-command';

const { job } = new Brats18Recipe({ nClients: 2, privacy: {} });
let folder: string;
let good: string;
let bad: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'consilium-job-'));
  good = join(folder, 'good.yaml');
  bad = join(folder, 'bad.yaml');
  await writeFile(good, jobToYaml(job));
  await writeFile(bad, jobToYaml(job).replace('rounds:', 'rouns:'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Both outputs and the exit code of a command. */
async function consiliumJob(...args: readonly string[]) {
  const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const err = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const textOf = (spy: typeof out) => spy.mock.calls.map(([text]) => String(text)).join('');
  try {
    const error: unknown = await jobCommand()
      .parseAsync(args, { from: 'user' })
      .then(
        () => undefined,
        (reason: unknown) => reason,
      );
    if (error !== undefined) printError(error);
    return { stdout: textOf(out), stderr: textOf(err), code: error === undefined ? 0 : exitCodeOf(error) };
  } finally {
    out.mockRestore();
    err.mockRestore();
  }
}

describe('consilium job validate', () => {
  it('names the job and its hash when the file is valid', async () => {
    const { stdout, stderr, code } = await consiliumJob('validate', good);
    expect(stdout).toBe(`${good} is a valid job: ${job.name}, sha256 ${jobHash(job)}\n`);
    expect([stderr, code]).toEqual(['', 0]);
  });

  it('names file, line and column of a mistake, and ends with 2', async () => {
    const { stdout, stderr, code } = await consiliumJob('validate', bad);
    expect(stderr).toContain(`${bad}:10:3: workflow.rouns: unknown key. Did you mean 'rounds'?`);
    expect([stdout, code]).toEqual(['', 2]);
  });

  it('says all of several files in one JSON object, those that cannot be read included', async () => {
    const absent = join(folder, 'absent.yaml');
    const { stdout, code } = await consiliumJob('validate', good, bad, absent, folder, '--json');
    expect(JSON.parse(stdout)).toEqual({
      valid: false,
      files: [
        { file: good, valid: true, name: job.name, hash: jobHash(job), problems: [] },
        {
          file: bad,
          valid: false,
          problems: [{ line: 10, column: 3, path: 'workflow.rouns', message: expect.stringContaining("'rounds'") }],
        },
        { file: absent, valid: false, problems: [{ path: '', message: expect.stringContaining('does not exist') }] },
        { file: folder, valid: false, problems: [{ path: '', message: expect.stringContaining('it is a folder') }] },
      ],
    });
    expect(code).toBe(2);
  });
});

describe('consilium job show', () => {
  it('says what the job is, and where its filters stand', async () => {
    const { stdout } = await consiliumJob('show', good);
    for (const line of [
      job.name,
      jobHash(job),
      '2: site-1, site-2',
      'fed-avg: rounds 7',
      'segresnet: ',
      'brats18-phantom: ',
    ]) {
      expect(stdout).toContain(line);
    }
    expect(stdout.replace(/\s+/g, ' ')).toMatch(/1\. svt: fraction 0\.9, .*; at site-out, on train, of all sites/);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it('gives name, hash and the whole job as JSON', async () => {
    const { stdout } = await consiliumJob('show', good, '--json');
    expect(JSON.parse(stdout)).toEqual({ name: job.name, hash: jobHash(job), job });
  });

  it('takes a recipe by name, and names the nearest for a slip', async () => {
    for (const name of ['brats18', 'Brats18Recipe']) {
      expect((await consiliumJob('show', name)).stdout).toContain('brats18_4');
    }
    for (const name of ['mri-translation', 'MriTranslationRecipe']) {
      expect((await consiliumJob('show', name)).stdout).toContain('mri_fedavg');
    }
    const { stderr, code } = await consiliumJob('show', 'brats');
    expect(stderr).toContain("There is no recipe 'brats'.");
    expect(stderr).toContain('Known: brats18, mri-translation.');
    expect(code).toBe(2);
  });
});

describe('consilium job export', () => {
  it('writes the job and its schema; the job is the same, and exported again the same bytes', async () => {
    const first = join(folder, 'first');
    const second = join(folder, 'second');
    const { stdout, code } = await consiliumJob('export', good, first, '--json');
    const files = { own: [], job: join(first, 'job.yaml'), schema: join(first, 'job.schema.json') };
    expect(JSON.parse(stdout)).toEqual({ name: job.name, hash: jobHash(job), files });
    expect(code).toBe(0);
    expect((await readdir(first)).sort()).toEqual(['job.schema.json', 'job.yaml']);
    expect(await readJobFile(files.job)).toEqual(job);
    expect(await readFile(files.schema, 'utf8')).toBe(jobSchemaText());
    const text = await readFile(files.job, 'utf8');
    expect(text).toMatch(/^# yaml-language-server: \$schema=\.\/job\.schema\.json\n/);
    await mkdir(second);
    await consiliumJob('export', files.job, second);
    expect(await readFile(join(second, 'job.yaml'), 'utf8')).toBe(text);
  });

  it('refuses a folder that holds anything, and a file, and leaves them as they are', async () => {
    const taken = join(folder, 'taken');
    await mkdir(taken);
    await writeFile(join(taken, '.hidden'), 'x');
    for (const [target, why] of [
      [taken, "is not empty: it holds '.hidden'"],
      [good, 'is no folder'],
    ] as const) {
      const { stderr, code } = await consiliumJob('export', 'brats18', target);
      expect(stderr).toContain(`The job cannot be exported: '${target}' ${why}.`);
      expect(code).toBe(2);
    }
    expect(await readdir(taken)).toEqual(['.hidden']);
  });
});

describe('consilium job schema', () => {
  it('prints the schema, for a file or on one line', async () => {
    const { stdout } = await consiliumJob('schema');
    expect(stdout).toBe(jobSchemaText());
    expect(JSON.parse((await consiliumJob('schema', '--json')).stdout)).toEqual(JSON.parse(stdout));
  });
});
