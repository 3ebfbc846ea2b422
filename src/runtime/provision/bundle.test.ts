import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  ada,
  atServer,
  atSite,
  bundled,
  federation,
  file,
  folder,
  input,
  trusting,
} from '../../../test/support/bundle-rig';
import { parseJob } from '../../jobs/job-spec';
import { jobFromYaml } from '../../jobs/job-yaml';
import { findOwnPart } from '../../jobs/own-part';
import { nodeDisk } from '../../util/node-disk';
import { sha256Of } from '../../util/sha256';
import { bundleForSite, bundleJob, createBundle, readBundle, unpackBundle } from './bundle';

describe('a bundle', () => {
  it('carries the job and its files to the server, with who signed it', async () => {
    const written = await bundled();
    const bytes = await readFile(written.file);
    expect(written).toMatchObject({ sha256: sha256Of(bytes), size: bytes.byteLength });
    const bundle = await readBundle(bytes, trusting('server'));
    expect(bundle.hash).toBe(written.hash);
    expect(bundle.submitter).toEqual({
      name: 'ada',
      role: 'researcher',
      org: 'North Hospital',
      fingerprint: ada.fingerprint,
    });
    expect(bundle.files.map(({ path, to }) => [path, to])).toEqual([
      ['job.yaml', 'all'],
      ['site-config/site-1.json', 'site:site-1'],
      ['site-config/site-2.json', 'site:site-2'],
      ['train.js', 'all'],
    ]);
    expect(bundle.facts).toMatchObject({
      name: 'demo_job',
      sites: input.sites,
      trainer: { kind: 'script', script: './train.js' },
    });
    expect((await bundle.read('train.js')).toString()).toBe('module.exports = 1;\n');
    await unpackBundle(bundle, join(folder, 'job'), nodeDisk);
    expect(await bundleJob(bundle, { folder: join(folder, 'job') })).toEqual(parseJob(input));
  });

  it('read from a file is the same as from memory', async () => {
    const { file, hash } = await bundled();
    const handle = await nodeDisk.open(file, 'read');
    const bundle = await readBundle(handle, trusting('server'));
    expect(bundle.hash).toBe(hash);
    await unpackBundle(bundle, join(folder, 'job'), nodeDisk);
    await handle.close();
    expect(await readFile(join(folder, 'job', 'train.js'), 'utf8')).toBe('module.exports = 1;\n');
  });

  it('of the same job is the same thing, whenever it is made, and of another job or submitter another', async () => {
    const first = await bundled();
    expect((await bundled()).hash).toBe(first.hash);
    expect((await bundled()).manifest).toEqual(first.manifest);
    const shuffled = {
      ...input,
      siteConfig: { 'site-2': input.siteConfig['site-2'], 'site-1': input.siteConfig['site-1'] },
    };
    expect((await bundled(parseJob(shuffled))).hash).toBe(first.hash);
    expect((await bundled(parseJob({ ...input, seed: 1 }))).hash).not.toBe(first.hash);
    expect((await bundled(parseJob({ ...input, siteConfig: { 'site-1': 1 } }))).hash).not.toBe(first.hash);
    expect((await bundled(parseJob(input), { kit: await federation.kit('grace') })).hash).not.toBe(first.hash);
    await file('train.js', 'module.exports = 2;\n');
    expect((await createBundle(parseJob(input), { folder, kit: ada }, join(folder, 'b'), nodeDisk)).hash).not.toBe(
      first.hash,
    );
  });

  it('gives each site its own configuration and nothing of the others', async () => {
    const server = await atServer();
    for (const [site, own, others] of [
      ['site-1', 'one', 'two'],
      ['site-2', 'two', 'one'],
    ] as const) {
      const bytes = Buffer.concat(await bundleForSite(server, site));
      expect(bytes.includes(`/secret/${own}`)).toBe(true);
      expect(bytes.includes(`/secret/${others}`)).toBe(false);
      const bundle = await readBundle(bytes, trusting(site));
      expect(bundle.hash).toBe(server.hash);
      const job = join(folder, site);
      await unpackBundle(bundle, job, nodeDisk);
      expect((await bundleJob(bundle, { folder: job })).siteConfig).toEqual({ [site]: input.siteConfig[site] });
    }
    await expect(bundleForSite(server, 'site-3')).rejects.toThrow("'site-3' is no site of the job");
    await expect(bundleForSite(await atSite(server), 'site-1')).rejects.toThrow('is no site of the job');
  });

  it('hides what a site does not get: neither hash nor size tell, not even to who tries all contents', async () => {
    const of = async (config: unknown) => {
      const { manifest } = await bundled(parseJob({ ...input, siteConfig: { 'site-2': config } }));
      return manifest.files.find(({ path }) => path === 'site-config/site-2.json')!;
    };
    const [yes, no] = [await of({ consent: true }), await of({ consent: false, why: 'a longer text' })];
    expect(yes.size).toBe(no.size);
    const guesses = [
      '{"config":{"consent":true}}',
      '{"consent":true}',
      JSON.stringify({ salt: '', config: { consent: true } }),
    ];
    expect(guesses.map((text) => sha256Of(Buffer.from(text)))).not.toContain(yes.sha256);
    const grace = await bundled(parseJob({ ...input, siteConfig: { 'site-2': { consent: true } } }), {
      kit: await federation.kit('grace'),
    });
    expect(grace.manifest.files.map(({ sha256 }) => sha256)).not.toContain(yes.sha256);
  });

  it('keeps tensors to start from for the server, wherever they lay', async () => {
    await file('start.safetensors', 'tensors');
    const elsewhere = join(folder, 'elsewhere.pt');
    await writeFile(elsewhere, 'more tensors');
    const job = parseJob({
      ...input,
      workflow: {
        kind: 'cross-site-eval',
        rounds: 0,
        minSites: 2,
        checkpoints: { old: elsewhere, older: './start.safetensors' },
      },
      model: { kind: 'checkpoint', file: 'start.safetensors' },
    });
    await bundled(job);
    const server = await readBundle(await readFile(join(folder, 'out', 'job.bundle')), trusting('server'));
    const forServer = server.files.filter(({ to }) => to === 'server').map(({ path }) => path);
    expect(forServer).toEqual(['start.safetensors', 'start/1-elsewhere.pt']);
    const target = join(folder, 'job');
    await unpackBundle(server, target, nodeDisk);
    const { workflow, model } = await bundleJob(server, { folder: target });
    expect(workflow).toMatchObject({ checkpoints: { old: 'start/1-elsewhere.pt', older: 'start.safetensors' } });
    expect(model).toMatchObject({ file: 'start.safetensors' });
    expect(await readFile(join(target, 'start/1-elsewhere.pt'), 'utf8')).toBe('more tensors');
    const site = await atSite(server);
    expect(site.files.map(({ path }) => path)).toEqual(['job.yaml', 'site-config/site-1.json', 'train.js']);
  });

  it('carries the program of a command and the files that its words name', async () => {
    await file('run.sh', '#!/bin/sh\n');
    await file('lib/net.py', 'x');
    await file('lib/__init__.py', 'y');
    const trainer = { kind: 'command', command: ['./run.sh', '-m', 'lib/net.py', 'lib', '/etc/hostname', '../up'] };
    const { manifest } = await bundled(parseJob({ ...input, trainer }), { include: ['lib/__init__.py'] });
    const own = manifest.files.filter(({ path }) => path !== 'job.yaml' && !path.startsWith('site-config'));
    expect(own.map(({ path, executable }) => [path, executable])).toEqual([
      ['lib/__init__.py', false],
      ['lib/net.py', false],
      ['run.sh', true],
    ]);
    const bundle = await readBundle(await readFile(join(folder, 'out', 'job.bundle')), trusting('server'));
    await unpackBundle(bundle, join(folder, 'job'), nodeDisk);
    expect((await stat(join(folder, 'job', 'run.sh'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, 'job', 'lib', 'net.py'))).mode & 0o777).toBe(0o600);
    const path = await bundled(parseJob({ ...input, trainer: { kind: 'command', command: ['python3', 'train.js'] } }));
    expect(path.manifest.files.filter(({ executable }) => executable)).toEqual([]);
    expect(path.manifest.files.some(({ path }) => path === 'train.js')).toBe(true);
  });

  it('leaves the places of the data for the sites to fill in', async () => {
    await file('train.js', '');
    const text = `version: 1
name: tables
sites: [site-1, site-2]
workflow: {kind: fed-stats, minSites: 2, statistics: [count]}
trainer: {kind: statistics}
data: {kind: csv, path: "\${TABLES}/{site}.csv", columns: [age]}
`;
    await bundled(jobFromYaml(text, 'job.yaml', { environment: {}, forSites: true }));
    const server = await readBundle(await readFile(join(folder, 'out', 'job.bundle')), trusting('server'));
    const job = join(folder, 'job');
    await unpackBundle(server, job, nodeDisk);
    expect((await bundleJob(server, { folder: job })).data).toMatchObject({ path: `\${TABLES}/{site}.csv` });
    const site = await atSite(server);
    const own = await bundleJob(site, { folder: job, variables: { TABLES: '/data/tables' } });
    expect(own.data).toMatchObject({ path: '/data/tables/{site}.csv' });
    await expect(bundleJob(site, { folder: job })).rejects.toThrow('the environment variable TABLES is not set');
  });

  it('loads code only when the job is asked for, and only from where it was unpacked', async () => {
    const mark = join(folder, 'mark');
    await file(
      'parts.js',
      `require('node:fs').appendFileSync(${JSON.stringify(mark)}, __filename);
const part = { slot: 'filter', kind: 'ward/bundled', module: __filename, options: {}, definition: {} };
globalThis[Symbol.for('consilium.own-parts.1')].set('filter ward/bundled', part);
`,
    );
    const loads = () => readFile(mark, 'utf8').catch(() => '');
    const plain = { ...input, modules: ['./parts.js'] };
    await bundled(parseJob(plain));
    const server = await readBundle(await readFile(join(folder, 'out', 'job.bundle')), trusting('server'));
    const site = await atSite(server);
    await unpackBundle(site, join(folder, 'job'), nodeDisk);
    expect(site.facts.modules).toEqual(['./parts.js']);
    expect(await loads()).toBe('');
    expect(findOwnPart('filter', 'ward/bundled')).toBeUndefined();
    const wrong = bundleJob(site, { folder: join(folder, 'nowhere') });
    await expect(wrong).rejects.toThrow("module './parts.js' does not exist");
    expect(await loads()).toBe('');
    await bundleJob(site, { folder: join(folder, 'job') });
    expect(await loads()).toBe(join(folder, 'job', 'parts.js'));
    expect(findOwnPart('filter', 'ward/bundled')).toBeDefined();
  });
});

describe('a job cannot be bundled', () => {
  const refused = async (changes: object, message: string, more: object = {}) => {
    await expect(bundled(parseJob({ ...input, ...changes }), more)).rejects.toThrow(message);
    expect(await readdir(join(folder, 'out')).catch(() => [])).toEqual([]);
  };

  it.each([
    ['whose script is missing', { trainer: { kind: 'script', script: 'no.js' } }, "no.js' does not exist"],
    ['whose script is a folder', { trainer: { kind: 'script', script: 'lib' } }, "lib' is a folder"],
    [
      'whose script lies outside',
      { trainer: { kind: 'script', script: '../x.js' } },
      "'../x.js', which lies outside of the job's folder",
    ],
    [
      'whose script is absolute',
      { trainer: { kind: 'script', script: '/etc/hosts' } },
      "'/etc/hosts', which lies outside",
    ],
    ['whose module lies outside', { modules: ['lib/../../x.js'] }, 'which lies outside'],
    [
      'whose script has a name of the bundle itself',
      { trainer: { kind: 'script', script: 'site-config/x.js' } },
      'the bundle needs this name itself',
    ],
    [
      'whose script has a name that some systems do not allow',
      { trainer: { kind: 'script', script: 'a:b.js' } },
      "'a:b.js': it holds a colon",
    ],
    [
      'whose scripts are one on some systems',
      { modules: ['lib/A.js', 'lib/a.js'] },
      'are the same file on some systems',
    ],
  ])('%s', async (_, changes, message) => {
    for (const name of ['lib/A.js', 'lib/a.js', 'a:b.js', 'site-config/x.js']) await file(name, '');
    await refused(changes, message);
  });

  it('of more bytes than a site takes', async () => {
    await writeFile(join(folder, 'big.bin'), Buffer.alloc(10 * 2 ** 20));
    await refused({}, 'What a site gets of the job has', { include: ['big.bin'] });
  });

  it('by somebody who may not submit one', async () => {
    await refused({}, "'keeper' is a site-admin, and only researchers and admins submit jobs", {
      kit: await federation.kit('keeper'),
    });
    await refused({}, "'site-1' is a site, and only", { kit: await federation.kit('site-1') });
  });
});
