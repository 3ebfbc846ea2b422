import { readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ada, atServer, bundled, federation, file, folder, trusting } from '../../../test/support/bundle-rig';
import { testFederation } from '../../../test/support/federation';
import { isConsiliumError } from '../../errors';
import { nodeDisk } from '../../util/node-disk';
import { sha256Of } from '../../util/sha256';
import { bundleForSite, bundleJob, readBundle, unpackBundle } from './bundle';
import { type BundleManifest, encodeHeader, sealManifest } from './bundle-format';

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
