import { generateKeyPairSync } from 'node:crypto';
import { appendFile, chmod, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestFederation, testFederation } from '../../../test/support/federation';
import { isConsiliumError } from '../../errors';
import { sha256Of } from '../../util/sha256';
import { issue } from './authority';
import { type Kit, type KitKind, loadKit } from './kit';
import { signManifest } from './kit-files';

let federation: TestFederation;
let other: TestFederation;
beforeAll(async () => {
  federation = await testFederation();
  other = await testFederation();
});
afterAll(async () => {
  await rm(dirname(federation.out), { recursive: true, force: true });
  await rm(dirname(other.out), { recursive: true, force: true });
});

describe('a startup kit', () => {
  it('tells all that its owner needs', async () => {
    const kit = await federation.kit('server');
    const folder = federation.folder('server');
    const read = (name: string) => readFile(join(folder, name), 'utf8');
    expect(kit).toMatchObject({
      kind: 'server',
      folder,
      name: 'server',
      role: 'server',
      org: 'demo',
      project: 'demo',
      server: { name: 'server', hosts: ['localhost', '127.0.0.1'], port: 8443, adminPort: 8443 },
      tls: { key: await read('key.pem'), cert: await read('cert.pem'), ca: await read('ca.pem') },
      caFingerprint: federation.caFingerprint,
      files: { roster: join(folder, 'roster.json'), settings: join(folder, 'server.yaml') },
    });
    expect((kit.notAfter - kit.notBefore) / (24 * 3600 * 1000)).toBeCloseTo(365 + 1 / 24, 3);
    expect((await federation.kit('site-1')).files).toEqual({
      settings: join(federation.folder('site-1'), 'site.yaml'),
      policy: join(federation.folder('site-1'), 'policy.yaml'),
    });
  });

  it('serves everybody but a server and a site as that of an admin, with their role', async () => {
    const roles = await Promise.all(
      ['ada', 'grace', 'keeper'].map(async (name) => (await federation.kit(name, 'admin')).role),
    );
    expect(roles).toEqual(['researcher', 'admin', 'site-admin']);
  });
});

describe('a startup kit is refused', () => {
  let folder: string;
  beforeEach(async () => {
    folder = join(federation.out, 'copy');
    await rm(folder, { recursive: true, force: true });
    await cp(federation.folder('site-1'), folder, { recursive: true });
  });
  const at = (name: string) => join(folder, name);
  const load = (expected: KitKind = 'site', now?: number) =>
    loadKit(folder, expected, now === undefined ? {} : { now });

  /** The one reason, with its class and a next step. */
  async function refused(
    tag: 'ConfigError' | 'RefusedError',
    message: string,
    hint: string,
    loading: () => Promise<Kit> = load,
  ): Promise<void> {
    const error = await loading().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(isConsiliumError(error, tag), String(error)).toBe(true);
    expect((error as Error).message).toContain(message);
    expect((error as { hint?: string }).hint).toContain(hint);
  }

  it('when there is none', () =>
    refused(
      'ConfigError',
      "'/nowhere/manifest.json' cannot be read: it does not exist",
      'A startup kit is a folder made by `consilium provision`',
      () => loadKit('/nowhere', 'site'),
    ));

  it('when it is that of another kind', () =>
    refused(
      'ConfigError',
      "is the kit of the site 'site-1', but that of a server is needed",
      'consilium client --kit',
      () => load('server'),
    ));

  it.each(['kit.json', 'cert.pem', 'ca.pem', 'start.sh', 'README.md'])(
    'when a byte of %s was changed',
    async (name) => {
      const bytes = await readFile(at(name));
      bytes[bytes.length >> 1]! ^= 1;
      await writeFile(at(name), bytes);
      const said =
        name === 'ca.pem' ? /does not bear the signature|no certificate/ : new RegExp(`'${at(name)}' was changed`);
      await expect(load()).rejects.toThrow(said);
      await rm(at(name));
      await refused('ConfigError', `'${at(name)}' cannot be read: it does not exist`, 'A startup kit is a folder');
    },
  );

  it.each(['manifest.json', 'kit.json'])('when a byte was appended to %s, with what to do next', async (name) => {
    await appendFile(at(name), 'x');
    await refused('RefusedError', `The startup kit is refused: `, 'Unpack the kit again as it came');
    await refused('RefusedError', at(name), 'or ask for a new one');
  });

  it('when it names another server, even under a manifest that fits', async () => {
    const text = (await readFile(at('kit.json'), 'utf8')).replace('localhost', 'evil.host');
    await writeFile(at('kit.json'), text);
    const { signature, ...content } = JSON.parse(await readFile(at('manifest.json'), 'utf8'));
    const sha256 = sha256Of(Buffer.from(text));
    const forged = { ...content, files: { ...content.files, 'kit.json': sha256 } };
    await writeFile(at('manifest.json'), JSON.stringify({ ...forged, signature }));
    await refused('RefusedError', 'does not bear the signature', 'as it came');
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const signed = signManifest(forged, privateKey.export({ format: 'pem', type: 'pkcs8' }).toString());
    await writeFile(at('manifest.json'), JSON.stringify(signed));
    await refused('RefusedError', 'does not bear the signature', 'as it came');
  });

  it('when the manifest no longer vouches for a file', async () => {
    const caKey = await readFile(join(federation.out, 'ca', 'ca.key'), 'utf8');
    const { signature: _, ...content } = JSON.parse(await readFile(at('manifest.json'), 'utf8'));
    const { 'cert.pem': __, ...files } = content.files;
    await writeFile(at('manifest.json'), JSON.stringify(signManifest({ ...content, files }, caKey)));
    await refused('RefusedError', 'does not vouch for cert.pem', 'as it came');
  });

  it.each([
    ['empty', '', 'malformed'],
    ['no JSON', 'junk', 'expected a value'],
    ['another version', '{"version": 2}', 'version: found 2'],
    [
      'made to climb out of the folder',
      '{"version":1,"project":"demo","name":"site-1","files":{"../x":"00"},"signature":""}',
      'files.../x: ',
    ],
  ])('when its manifest is %s', async (_, text, message) => {
    await writeFile(at('manifest.json'), text);
    await expect(load()).rejects.toThrow(message);
  });

  it('when a file is far too large', async () => {
    await writeFile(at('README.md'), Buffer.alloc(300_000));
    await refused('RefusedError', 'is larger than any file of a kit', 'as it came');
  });

  it.runIf(process.platform !== 'win32').each([0o640, 0o604, 0o660])(
    'when others may read its key (mode %o)',
    async (mode) => {
      await chmod(at('key.pem'), mode);
      await refused('ConfigError', `(mode 0${mode.toString(8)})`, `chmod 600 '${at('key.pem')}'`);
      await chmod(at('key.pem'), 0o400);
      await expect(load()).resolves.toBeTruthy();
    },
  );

  it('when the key is missing, is another one, or is none', async () => {
    await writeFile(at('key.pem'), await readFile(join(federation.folder('site-2'), 'key.pem')));
    await refused('ConfigError', 'does not belong to the certificate beside it', 'the same kit');
    await writeFile(at('key.pem'), 'junk');
    await refused('ConfigError', 'does not belong to the certificate', 'the same kit');
    await rm(at('key.pem'));
    await refused('ConfigError', `'${at('key.pem')}' cannot be read: it does not exist`, 'key.pem');
  });

  it('when the certificate is of another authority, even of the same name', async () => {
    await signedAnew(async (files) => {
      files['cert.pem'] = await readFile(join(other.folder('site-1'), 'cert.pem'), 'utf8');
      await writeFile(at('key.pem'), await readFile(join(other.folder('site-1'), 'key.pem')));
    });
    await refused('RefusedError', 'the authority of this project', 'startup kit that this project made');
  });

  it('when it was put together from two kits', async () => {
    await signedAnew(async (files) => {
      files['cert.pem'] = await readFile(join(federation.folder('site-2'), 'cert.pem'), 'utf8');
      await writeFile(at('key.pem'), await readFile(join(federation.folder('site-2'), 'key.pem')));
    });
    await refused('RefusedError', "kit.json says name 'site-1', the certificate 'site-2'", 'as it came');
  });

  it('when the certificate may not be used as that of its role', async () => {
    const authority = await authorityOf(federation);
    const server = await issue(
      authority,
      { name: 'site-1', role: 'server', org: 'North Hospital', hosts: ['a'] },
      { days: 1, now: Date.now() },
    );
    await signedAnew(async (files) => {
      files['cert.pem'] = server.cert;
      await writeFile(at('key.pem'), server.key);
    });
    await refused('RefusedError', "kit.json says role 'site', the certificate 'server'", 'as it came');
  });

  it('before it is valid and after it has expired, by the clock of this machine', async () => {
    const { notBefore, notAfter } = await load();
    await refused('RefusedError', 'but this machine says it is', "Set this machine's clock", () =>
      load('site', notBefore - 1000),
    );
    await refused(
      'RefusedError',
      `has expired on ${new Date(notAfter).toISOString().replace('.000', '')}`,
      'consilium provision renew',
      () => load('site', notAfter + 1000),
    );
    await expect(load('site', notAfter)).resolves.toBeTruthy();
  });

  it('for none of what a user may change or add', async () => {
    await writeFile(at('site.yaml'), 'variables: {A: /a}\n');
    await writeFile(at('policy.yaml'), 'junk: [');
    await writeFile(at('notes.txt'), 'mine');
    await mkdir(at('node_modules'));
    const { files: _, ...kit } = await load();
    expect(kit).toMatchObject({ name: 'site-1' });
  });

  async function authorityOf({ out }: TestFederation) {
    const read = (name: string) => readFile(join(out, 'ca', name), 'utf8');
    return { cert: await read('ca.pem'), key: await read('ca.key') };
  }

  /** Changes files of the kit and signs it with the project's own key: what only a mistake of the authority could make. */
  async function signedAnew(change: (files: Record<string, string>) => Promise<void>): Promise<void> {
    const files: Record<string, string> = {};
    await change(files);
    const { signature: _, ...content } = JSON.parse(await readFile(at('manifest.json'), 'utf8'));
    for (const [name, text] of Object.entries(files)) {
      await writeFile(at(name), text);
      content.files[name] = sha256Of(Buffer.from(text));
    }
    await writeFile(at('manifest.json'), JSON.stringify(signManifest(content, (await authorityOf(federation)).key)));
  }
});
