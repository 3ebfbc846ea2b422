import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestFederation, testFederation } from '../../test/support/federation';
import { writeMultiContrastPhantom } from '../imaging/phantom/multi-contrast/write-multi-contrast-phantom';
import { sha256Of } from '../util/sha256';
import { examineKit } from './kit-doctor';
import { examineJobAtSite } from './site-job-check';

let federation: TestFederation;
let root: string;
let slices: string;
beforeAll(async () => {
  federation = await testFederation();
  root = dirname(federation.out);
  const out = join(root, 'phantom');
  await writeMultiContrastPhantom({ out, sites: 1, patientsPerSite: 3, shape: [32, 32, 8], seed: 0 });
  slices = join(out, 'site-1');
});
afterAll(() => rm(root, { recursive: true, force: true }));
beforeEach(async () => {
  await settings({ data: { slices: { path: slices } }, memoryMb: 4000 });
  await policy({});
});

const settings = (content: object) =>
  writeFile(join(federation.folder('site-1'), 'site.yaml'), JSON.stringify(content));
const policy = (content: object) =>
  writeFile(join(federation.folder('site-1'), 'policy.yaml'), JSON.stringify(content));

const translation = {
  version: 1,
  name: 'translate',
  sites: ['site-1', 'site-2'],
  workflow: { kind: 'fed-avg', rounds: 3, minSites: 2, keyMetric: 'val_mse', keyMetricMode: 'min' },
  model: { kind: 'translation-unet', baseChannels: 8, norm: 'group', numGroups: 8 },
  trainer: { kind: 'translation' },
  data: { kind: 'slices', path: '/of/nobody/{site}', source: 't1', target: 't2' },
};
const scripted = {
  ...translation,
  name: 'scripted',
  workflow: { ...translation.workflow, keyMetric: 'loss' },
  model: { kind: 'tensors', tensors: { line: [2] } },
  trainer: { kind: 'script', script: './train.ts' },
  data: { kind: 'none' },
};

/** What the doctor says of a job, by line. */
async function said(job: object, site = 'site-1'): Promise<Record<string, string>> {
  const file = join(root, 'job.yaml');
  await writeFile(file, JSON.stringify(job));
  const findings = await examineJobAtSite(await federation.kit(site), file);
  return Object.fromEntries(
    findings.map(({ name, status, message, hint }) => [name, `${status}: ${message} → ${hint}`]),
  );
}

describe('what a job would meet at a site', () => {
  it('is all it needs: the policy, the data of the site itself, room and an execution provider', async () => {
    const found = await said({ ...translation, resources: { memoryMb: 4000 } });
    expect(found).toMatchObject({
      'job file': 'ok: translate: 2 sites → undefined',
      'job code': 'ok: none comes with it → undefined',
      'job policy': 'ok: lets it in → undefined',
      'job memory': 'ok: 4000 MB of 4000 → undefined',
      'job provider': 'ok: cpu → undefined',
      'job limits': 'ok: within those of the policy → undefined',
    });
    expect(found['job data']).toMatch(/^ok: every slice of t1 has its partner in t2; [1-9]\d* validation cases?/);
  });

  it('is its data in the contrasts that the job asks for', async () => {
    const [first] = await readdir(join(slices, 'train', 'flair'));
    const lost = join(slices, 'train', 'flair', first!);
    const bytes = await readFile(lost);
    await rm(lost);
    expect((await said(translation))['job data']).toMatch(/^ok: /);
    const other = { ...translation, data: { ...translation.data, target: 'flair' } };
    expect((await said(other))['job data']).toMatch(/^problem: .*there is no slice of this name/);
    await writeFile(lost, bytes);
    await settings({});
    expect((await said(translation))['job data']).toMatch(
      /^problem: refused: data: this site has named no data of kind 'slices', .* → .*'data.slices' in site.yaml/,
    );
    const named = { ...translation, data: { ...translation.data, path: `\${SLICES}/{site}` } };
    await settings({ variables: { SLICES: dirname(slices) } });
    expect((await said(named))['job data']).toMatch(/^ok: /);
  });

  it('is room: what it asks for that the settings of the site do not offer', async () => {
    const found = await said({ ...translation, resources: { memoryMb: 4001, gpus: 1 } });
    expect(found['job memory']).toMatch(/^problem: .*4001 MB at each site, and 'site-1' has 4000/);
    expect(found['job GPUs']).toMatch(/^problem: .*1 GPU at each site, and 'site-1' offers 0/);
  });

  it('is the policy in the words that the submitter would hear, and of who may submit', async () => {
    await policy({ limits: { rounds: 2 }, trainers: ['statistics'] });
    const found = await said(translation);
    expect(found['job policy']).toMatch(
      /^problem: refused: policy trainers: the trainer 'translation' is not .*; policy limits.rounds: the job has 3 rounds, more than this site allows → .*'limits.rounds' in policy.yaml/,
    );
    expect(Object.keys(found)).not.toContain('job provider');
    await policy({ submitters: { names: ['ada', 'grace'], orgs: ['North Hospital'] }, limits: { modelMb: 0.001 } });
    const limited = await said(translation);
    expect(limited['job policy']).toBe('ok: lets it in, when it comes from ada or grace, North Hospital → undefined');
    expect(limited['job limits']).toMatch(/^problem: refused: policy limits.modelMb: the model has \d+ MB/);
  });

  it('is its code: nothing of it is loaded before the policy has approved every file', async () => {
    const loaded = join(root, 'loaded');
    const module = `require('node:fs').writeFileSync(${JSON.stringify(loaded)}, '');\n`;
    await writeFile(join(root, 'part.cjs'), module);
    await writeFile(join(root, 'train.ts'), 'export {};\n');
    const job = { ...scripted, modules: ['./part.cjs'] };
    const refused = await said(job);
    expect(refused['job code']).toBe('ok: 2 files of its own → undefined');
    expect(refused['job policy']).toMatch(
      /^problem: refused: policy code: the job brings 2 files .* → .*policy approve/,
    );
    expect(await readdir(root)).not.toContain('loaded');
    const hashes = [module, 'export {};\n'].map((text) => sha256Of(Buffer.from(text)));
    await policy({ code: { files: hashes.slice(0, 1) } });
    expect((await said(job))['job policy']).toContain(
      `1 file that came with the job is not approved here (SHA-256 ${hashes[1]})`,
    );
    expect(await readdir(root)).not.toContain('loaded');
    await policy({ code: { files: hashes } });
    expect(await said(job)).toMatchObject({
      'job policy': 'ok: lets it in → undefined',
      'job trainer': "ok: 'script' → undefined",
    });
    expect(await readdir(root)).toContain('loaded');
    await rm(join(root, 'train.ts'));
    expect((await said(job))['job code']).toMatch(/^problem: The job's file '.*train.ts' does not exist/);
  });

  it('is nothing where it is not one of the sites, or where the job file is none', async () => {
    expect((await said({ ...translation, sites: ['site-2', 'site-3'] }))['job file']).toMatch(
      /^problem: translate: 'site-1' is none of its sites, site-2, site-3 → Add 'site-1' under sites/,
    );
    expect(await said({ sites: 3 })).toEqual({ 'job file': expect.stringMatching(/^problem: .*is not a valid job/) });
    const found = await said({ ...translation, trainer: { kind: 'translation', batchSize: -1 } });
    expect(found['job at this site']).toMatch(/^problem: .*trainer.batchSize/s);
  });

  it('stands behind what its kit says; a server looks at no job', async () => {
    const job = join(root, 'job.yaml');
    await writeFile(job, JSON.stringify(translation));
    const names = async (name: string) => (await examineKit(federation.folder(name), { job })).map((one) => one.name);
    expect(await names('site-1')).toEqual(
      expect.arrayContaining(['kit', 'certificate', 'memory', 'job policy', 'job data']),
    );
    const submitted = await examineKit(federation.folder('ada'), { job });
    expect(submitted.filter(({ status }) => status === 'problem')).toEqual([]);
    expect(submitted.slice(-4).map(({ name }) => name)).toEqual(['filters', 'files', 'starting model', 'data']);
    await writeFile(job, JSON.stringify(scripted));
    expect((await examineKit(federation.folder('ada'), { job })).find(({ name }) => name === 'files')).toMatchObject({
      status: 'problem',
      message: expect.stringContaining("train.ts' does not exist"),
    });
    const findings = await examineKit(federation.folder('server'), { job });
    expect(findings.at(-1)).toMatchObject({
      name: 'job file',
      status: 'problem',
      hint: expect.stringContaining('kit of a site'),
    });
  });
});
