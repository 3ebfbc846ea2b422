import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestFederation, testFederation } from '../../../test/support/federation';
import { isConsiliumError } from '../../errors';
import { type JobSpec, parseJob } from '../../jobs/job-spec';
import { jobFromYaml } from '../../jobs/job-yaml';
import { findOwnPart } from '../../jobs/own-part';
import type { Disk } from '../../util/disk';
import { nodeDisk } from '../../util/node-disk';
import { sha256Of } from '../../util/sha256';
import {
  type Bundle,
  bundleForSite,
  bundleJob,
  createBundle,
  type ReadBundleOptions,
  readBundle,
  unpackBundle,
} from './bundle';
import { type BundleManifest, encodeHeader, sealManifest } from './bundle-format';
import type { Kit } from './kit';

let federation: TestFederation;
let ada: Kit;
let folder: string;
beforeAll(async () => {
  federation = await testFederation();
  ada = await federation.kit('ada');
});
afterAll(() => rm(dirname(federation.out), { recursive: true, force: true }));
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bundle-'));
  return () => rm(folder, { recursive: true, force: true });
});

const input = {
  version: 1,
  name: 'demo_job',
  sites: ['site-1', 'site-2'],
  workflow: { kind: 'fed-avg', rounds: 1, minSites: 2 },
  model: { kind: 'tensors', tensors: { w: [1] } },
  trainer: { kind: 'script', script: './train.js' },
  siteConfig: { 'site-1': { folder: '/secret/one' }, 'site-2': { folder: '/secret/two', text: `\${C}` } },
};

async function file(name: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), text);
}

async function bundled(job: JobSpec = parseJob(input), more: object = {}) {
  await file('train.js', 'module.exports = 1;\n');
  return createBundle(job, { folder, kit: ada, ...more }, join(folder, 'out', 'job.bundle'), nodeDisk);
}

const trusting = (purpose: 'server' | string): ReadBundleOptions => ({
  ca: ada.tls.ca,
  project: 'demo',
  now: Date.now(),
  ...(purpose === 'server' ? { purpose } : { purpose: 'site', site: purpose }),
});

async function atServer(): Promise<Bundle> {
  return readBundle(await readFile((await bundled()).file), trusting('server'));
}

async function atSite(bundle: Bundle, site = 'site-1'): Promise<Bundle> {
  return readBundle(Buffer.concat(await bundleForSite(bundle, site)), trusting(site));
}

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

describe('a bundle is refused', () => {
  async function refused(bytes: Uint8Array, message: string | RegExp, options = trusting('server')): Promise<void> {
    const error = await readBundle(bytes, options).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(isConsiliumError(error), String(error)).toBe(true);
    expect(String(error)).toMatch(message);
  }

  it('with any byte of it changed', async () => {
    const bytes = await readFile((await bundled()).file);
    const step = Math.max(1, Math.floor(bytes.length / 400));
    for (let at = 0; at < bytes.length; at += step) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1;
      await refused(changed, /refused|not valid|malformed|no certificate|UTF-8|expected|twice|not JSON/);
    }
  });

  it('when it was cut off, has more at its end, or is no bundle', async () => {
    const bytes = await readFile((await bundled()).file);
    for (const length of [0, 7, 8, 100, bytes.length - 1])
      await refused(bytes.subarray(0, length), /cut off|its files need/);
    await refused(Buffer.concat([bytes, Buffer.from([0])]), 'its files need');
    await refused(Buffer.from('PK\u0003\u0004 a zip archive, not a bundle'), 'it is no bundle');
    await refused(Buffer.alloc(64, 0xff), 'it is no bundle');
    await refused(
      Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{}')]),
      'it is no bundle, or of another version',
    );
  });

  it('for another project, another authority, or a certificate that has expired', async () => {
    const bytes = await readFile((await bundled()).file);
    const other = await testFederation();
    const ca = await readFile(join(other.out, 'ca', 'ca.pem'), 'utf8');
    await rm(dirname(other.out), { recursive: true });
    await refused(bytes, 'the authority of this project', { ...trusting('server'), ca });
    await refused(bytes, "it is for the project 'demo', and this is 'other'", {
      ...trusting('server'),
      project: 'other',
    });
    await refused(bytes, 'has expired', { ...trusting('server'), now: ada.notAfter + 1 });
    await refused(bytes, 'is valid from', { ...trusting('server'), now: ada.notBefore - 1 });
  });

  it('at another site, and when a part is missing or too much', async () => {
    const server = await atServer();
    const part = Buffer.concat(await bundleForSite(server, 'site-1'));
    await refused(part, "it does not hold the files that 'site-2' is to get", trusting('site-2'));
    await refused(part, 'the files that the server is to get');
    await refused(await readFile((await bundled()).file), "the files that 'site-1' is to get", trusting('site-1'));
  });

  /** A bundle with a manifest of one's own, signed by somebody of the project: the authority vouches for who, not for what. */
  async function crafted(
    change: (manifest: BundleManifest, contents: Map<string, Buffer>) => object,
    kit = ada,
  ): Promise<Buffer> {
    const { manifest, file } = await bundled();
    const honest = await readBundle(await readFile(file), trusting('server'));
    const contents = new Map<string, Buffer>();
    for (const { path } of manifest.files) contents.set(path, Buffer.from(await honest.read(path)));
    const { name, role, org, fingerprint } = kit;
    const changed = {
      ...manifest,
      submitter: { name, role, org, fingerprint },
      ...change(manifest, contents),
    } as BundleManifest;
    const files = changed.files.map((entry) => {
      const bytes = contents.get(entry.path) ?? Buffer.from('x');
      return { ...entry, size: bytes.byteLength, sha256: sha256Of(bytes) };
    });
    const envelope = sealManifest({ ...changed, files }, kit.tls);
    return Buffer.concat([
      encodeHeader(envelope, files),
      ...files.map(({ path }) => contents.get(path) ?? Buffer.from('x')),
    ]);
  }

  const entry = (path: string, to = 'all') => ({ path, size: 0, sha256: '', to, executable: false });
  const sorted = (files: readonly { readonly path: string }[]) => [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  const added = (...paths: string[]) =>
    crafted(({ files }) => ({ files: sorted([...files, ...paths.map((path) => entry(path))]) }));

  it('that is crafted but honest is not', async () => {
    await expect(readBundle(await crafted(() => ({})), trusting('server'))).resolves.toBeTruthy();
  });

  it.each(['../evil', '/etc/evil', 'C:\\evil', 'a/../../evil', 'z\\evil', 'z\0', 'nul', 'z\u202e.js'])(
    'with a file %j',
    async (path) => {
      await refused(await added(path), 'is not allowed: ');
    },
  );

  it('with files that meet', async () => {
    await refused(await added('TRAIN.js'), 'are the same file on some systems');
    await refused(await added('train.js/x'), 'is a file, and a folder for');
    await refused(await added('cafe\u0301', 'caf\u00e9'), 'are the same file');
    await refused(
      await crafted(({ files }) => ({ files: [...files, files[3]!] })),
      /out of order, or 'train.js' is there twice/,
    );
    await refused(await crafted(({ files }) => ({ files: [...files].reverse() })), 'out of order');
  });

  it('with a file where only the bundle itself puts one', async () => {
    await refused(await added('site-config/site-9.json'), "its file 'site-config/site-9.json' is for 'all'");
    await refused(
      await crafted(({ files }) => ({
        files: files.map((one) => (one.path === 'site-config/site-2.json' ? { ...one, to: 'all' } : one)),
      })),
      "is for 'all'",
    );
    await refused(
      await crafted(({ files }) => ({ files: sorted([...files, entry('zz', 'site:site-1')]) })),
      "its file 'zz' is for 'site:site-1'",
    );
    await refused(
      await crafted(({ files }) => ({ files: sorted([...files, entry('site-config/site-9.json', 'site:site-9')]) })),
      'a site that its job does not have',
    );
    await refused(
      await crafted(({ files }) => ({ files: files.filter(({ path }) => path !== 'job.yaml') })),
      'job.yaml',
    );
  });

  it('whose job is not the one that was signed, shows the configuration of sites to all, or is none', async () => {
    const withJob = (change: (text: string) => string) =>
      crafted((_, contents) => {
        contents.set('job.yaml', Buffer.from(change(contents.get('job.yaml')!.toString())));
        return {};
      });
    await refused(await crafted(() => ({ job: 'other' })), "its job is 'demo_job', but 'other' was signed");
    await refused(
      await withJob((text) => text.replace('siteConfig: {}', 'siteConfig: {site-1: 1}')),
      'stands where every site sees it',
    );
    await refused(await withJob(() => 'junk: ['), 'job.yaml is not a valid job');
    await refused(await withJob(() => '['.repeat(2000)), 'nested more than 64 levels deep');
    await refused(await withJob((text) => `${text}${'#'.repeat(300_000)}`), 'has more than 262144 bytes');
  });

  it('that somebody signed who may not, or in the name of somebody else', async () => {
    await refused(await crafted(() => ({}), await federation.kit('site-1')), "'site-1' signed it, who is a site");
    await refused(await crafted(() => ({}), await federation.kit('keeper')), 'who is a site-admin');
    const asGrace = await crafted(({ submitter }) => ({ submitter: { ...submitter, name: 'grace' } }));
    await refused(asGrace, "it names the name 'grace', but 'ada' signed it");
    await refused(
      await crafted(({ submitter }) => ({ submitter: { ...submitter, role: 'admin' } })),
      "the role 'admin', but 'researcher'",
    );
    const server = await crafted(() => ({}), await federation.kit('server'));
    await refused(server, "'server' signed it, who is a server");
  });

  it('whose manifest is not in canonical form', async () => {
    const { manifest } = await bundled();
    const { key, cert } = ada.tls;
    const { sign } = await import('node:crypto');
    const text = JSON.stringify(manifest, undefined, 1);
    const signature = sign('sha256', Buffer.from(`consilium bundle 1\n${text}`), key).toString('base64');
    const header = encodeHeader(
      { format: 'consilium bundle 1', manifest: text, signature, certificate: cert },
      manifest.files,
    );
    await refused(Buffer.from(header), 'not in canonical form');
  });

  it('when its bytes change after they were checked', async () => {
    const bytes = await readFile((await bundled()).file);
    const bundle = await readBundle(bytes, trusting('server'));
    bytes[bytes.length - 2]! ^= 1;
    await expect(unpackBundle(bundle, join(folder, 'job'), nodeDisk)).rejects.toThrow(
      "'train.js' is no longer what was signed",
    );
    expect(await readdir(folder)).not.toContain('job');
  });

  it('when the code that its job names is not in it', async () => {
    const bytes = await crafted(({ files }) => ({ files: files.filter(({ path }) => path !== 'train.js') }));
    const bundle = await readBundle(bytes, trusting('server'));
    await file('job/train.js', 'planted');
    await expect(bundleJob(bundle, { folder: join(folder, 'job') })).rejects.toThrow(
      "the code './train.js', which its bundle does not carry",
    );
  });
});

describe('a bundle is unpacked', () => {
  it('into a folder of its own that nobody else reads, in place of what was there', async () => {
    const outside = join(folder, 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'train.js'), 'not to be touched');
    const job = join(folder, 'job');
    await mkdir(job);
    await chmod(job, 0o755);
    await symlink(outside, join(job, 'lib'));
    await symlink(join(outside, 'train.js'), join(job, 'train.js'));
    await symlink(outside, `${job}.unpacking`);
    await unpackBundle(await atServer(), job, nodeDisk);
    expect((await readdir(job)).sort()).toEqual(['job.yaml', 'train.js']);
    expect((await stat(job)).mode & 0o777).toBe(0o700);
    expect((await stat(join(job, 'train.js'))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(outside, 'train.js'), 'utf8')).toBe('not to be touched');
    expect(await readFile(join(job, 'train.js'), 'utf8')).toBe('module.exports = 1;\n');
  });

  it('piece by piece, however large its files are', async () => {
    const size = 20 * 2 ** 20;
    await writeFile(join(folder, 'big.safetensors'), Buffer.alloc(size, 7));
    await file('train.js', '');
    let most = 0;
    const watched: Disk = {
      ...nodeDisk,
      async open(...opening) {
        const file = await nodeDisk.open(...opening);
        const note = (bytes: number) => {
          most = Math.max(most, bytes);
        };
        return {
          ...file,
          read(into, at) {
            note(into.byteLength);
            return file.read(into, at);
          },
          write(parts, at) {
            note(parts.reduce((sum, part) => sum + part.byteLength, 0));
            return file.write(parts, at);
          },
        };
      },
    };
    const job = parseJob({ ...input, model: { kind: 'checkpoint', file: 'big.safetensors' } });
    const written = await createBundle(job, { folder, kit: ada }, join(folder, 'big.bundle'), watched);
    const handle = await watched.open(written.file, 'read');
    await unpackBundle(await readBundle(handle, trusting('server')), join(folder, 'job'), watched);
    await handle.close();
    expect((await readFile(join(folder, 'job', 'big.safetensors'))).equals(Buffer.alloc(size, 7))).toBe(true);
    expect(most).toBe(2 ** 20);
  });
});
